import type { Request } from '../jsonrpc/request.ts';
import { Priority } from '../waiting/priority.ts';

/** What one client has waiting, oldest first: a list linked through the requests, so that nothing costs more where many wait. */
export class WaitingRequests implements Iterable<Request> {
  /** How many, and their bytes. */
  length = 0;
  bytes = 0;
  /** None of them leaves the queue for having waited too long before this time. */
  dueAtMs = Infinity;
  #first: Request | undefined;
  #last: Request | undefined;
  #high = 0;
  #medium = 0;
  /** How many have ids with this hash; made when it is first needed, for most clients never wait. */
  #hashes: Map<number, number> | undefined;

  /** The oldest; undefined when there is none. */
  get first(): Request | undefined {
    return this.#first;
  }

  /** The most urgent class among them: that of the client, as long as they wait. */
  get urgency(): Priority {
    if (this.#high > 0) return Priority.high;
    return this.#medium > 0 ? Priority.medium : Priority.low;
  }

  /** Adds one behind the others. */
  push(request: Request): void {
    const last = this.#last;
    request.previous = last;
    this.#last = request;
    if (last === undefined) this.#first = request;
    else last.next = request;
    this.#count(request);
  }

  /** Adds one before the others. */
  unshift(request: Request): void {
    const first = this.#first;
    request.next = first;
    this.#first = request;
    if (first === undefined) this.#last = request;
    else first.previous = request;
    this.#count(request);
  }

  /** Takes out one that is here. */
  remove(request: Request): void {
    const { previous, next } = request;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    request.previous = request.next = undefined;
    this.length--;
    this.bytes -= request.size;
    if (request.priority === Priority.high) this.#high--;
    else if (request.priority === Priority.medium) this.#medium--;
    if (!request.isNotification) this.#forgetHash(request.idHash);
  }

  /** True when one of them has the id of this request. */
  hasIdOf(request: Request): boolean {
    if (this.#hashes?.has(request.idHash) !== true) return false;
    for (const waiting of this) if (waiting.hasIdOf(request)) return true;
    return false;
  }

  /** Those that have waited long enough, in their order; sets `dueAtMs` anew. */
  due(nowMs: number): Request[] {
    if (this.dueAtMs > nowMs) return [];
    this.dueAtMs = Infinity;
    const due: Request[] = [];
    for (const request of this) {
      if (request.queueDeadlineMs <= nowMs) due.push(request);
      else this.dueAtMs = Math.min(this.dueAtMs, request.queueDeadlineMs);
    }
    return due;
  }

  /** Oldest first; the one just visited may be taken out. */
  *[Symbol.iterator](): Iterator<Request> {
    for (let request = this.#first; request !== undefined;) {
      const { next } = request;
      yield request;
      request = next;
    }
  }

  #count(request: Request): void {
    this.length++;
    this.bytes += request.size;
    this.dueAtMs = Math.min(this.dueAtMs, request.queueDeadlineMs);
    if (request.priority === Priority.high) this.#high++;
    else if (request.priority === Priority.medium) this.#medium++;
    if (request.isNotification) return;
    this.#hashes ??= new Map();
    this.#hashes.set(request.idHash, (this.#hashes.get(request.idHash) ?? 0) + 1);
  }

  #forgetHash(hash: number): void {
    const left = this.#hashes!.get(hash)! - 1;
    if (left > 0) this.#hashes!.set(hash, left);
    else this.#hashes!.delete(hash);
  }
}
