import type { Json } from './client.ts';

/** The errors that a request may end in when its upstreams fail. */
const EXPECTED_ERRORS: readonly unknown[] = [-32000, -32001, -32002, -32003];
/** Those that say: no backend has seen it. */
const NEVER_WRITTEN: readonly unknown[] = [-32000, -32003];

/** What a client asked, and what it heard: each request is to end once, in its own answer or in one error. */
export class RequestBook {
  /** What it should never have heard. */
  readonly faults: string[] = [];
  asked = 0;
  replied = 0;
  readonly errors = new Map<number, number>();
  /** Requests without an answer when the client left: with a close frame, and without. */
  leftInOrder = 0;
  leftAbruptly = 0;
  /** Milliseconds until the end of the request that took longest. */
  longestMs = 0;
  /** Marks of requests that are said not to have reached a backend. */
  readonly neverWritten: string[] = [];
  readonly #open = new Map<unknown, { readonly params: RequestParams; readonly askedAtMs: number }>();

  /** Requests without an answer yet. */
  get open(): number {
    return this.#open.size;
  }

  get errored(): number {
    return [...this.errors.values()].reduce((sum, count) => sum + count, 0);
  }

  ask(id: unknown, params: RequestParams, nowMs: number): void {
    this.asked++;
    this.#open.set(id, { params, askedAtMs: nowMs });
  }

  /** Takes a message: an answer, or those of a batch. */
  hear(text: string, nowMs: number): void {
    for (const reply of [JSON.parse(text) as Json | Json[]].flat()) this.#settle(reply, nowMs);
  }

  leave(inOrder: boolean): void {
    if (inOrder) this.leftInOrder += this.#open.size;
    else this.leftAbruptly += this.#open.size;
    this.#open.clear();
  }

  #settle(reply: Json, nowMs: number): void {
    const fault = (what: string): void => {
      this.faults.push(`${what}: ${JSON.stringify(reply).slice(0, 300)}`);
    };
    const asked = this.#open.get(reply.id);
    if (asked === undefined) return fault('nobody waits for this');
    this.#open.delete(reply.id);
    const { params, askedAtMs } = asked;
    this.longestMs = Math.max(this.longestMs, nowMs - askedAtMs);
    if (reply.error === undefined) {
      this.replied++;
      if (JSON.stringify(reply.result) !== JSON.stringify(params)) fault(`not what ${params.mark} asked for`);
      return;
    }
    const { code } = reply.error;
    this.errors.set(code, (this.errors.get(code) ?? 0) + 1);
    if (!EXPECTED_ERRORS.includes(code)) fault(`an error that has no reason, to ${params.mark}`);
    if (NEVER_WRITTEN.includes(code)) this.neverWritten.push(params.mark);
  }
}

/** What a request carries, to come back as it is. */
export interface RequestParams {
  /** Belongs to one request of one client. */
  readonly mark: string;
  /** How late the answer is to a request for a late one. */
  readonly ms: number;
  readonly padding: string;
}
