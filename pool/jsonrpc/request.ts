import { copyBytes } from '../copy-bytes.ts';
import type { Batch } from './batch.ts';
import { canonicalId, hashId, isEscaped, sameId } from './ids.ts';
import { Priority } from '../waiting/priority.ts';
import { shownMethod } from './method-name.ts';
import { plainMethod, type MethodTraits } from './method-table.ts';
import type { ProgressToken } from './progress-tokens.ts';
import type { Scan } from './scan.ts';

const empty = new Uint8Array(0);

/** One request or notification of a client on its way to an upstream: where it stands in which bytes, and how long it may take. */
export class Request {
  bytes: Uint8Array = empty;
  start = 0;
  end = 0;
  /** Where the id stands in `bytes`; −1 for a notification. */
  cutStart = -1;
  cutEnd = -1;
  /** The id in its one spelling: mostly the same bytes as the cut. */
  id: Uint8Array = empty;
  idStart = 0;
  idEnd = 0;
  idHash = 0;
  /** Its method without the quotes, in `bytes`; −1 when it is not known. */
  methodStart = -1;
  methodEnd = -1;
  /** What the configuration says of its method. */
  traits: MethodTraits = plainMethod;
  acceptedAtMs = 0;
  deadlineMs = 0;
  /** It leaves the queue with an error at this time. */
  queueDeadlineMs = 0;
  /** The batch that its outcome belongs to, and its place there. */
  batch: Batch | undefined;
  batchIndex = 0;
  /** How often it may be sent again after it was written. */
  retriesLeft = 0;
  /** What makes it the same as another, when its answer may be shared; '' for none, undefined when nothing is shared. */
  shareKey: string | undefined;
  /** The tokens by which it may be reported on; undefined for none. */
  tokens: readonly ProgressToken[] | undefined;
  /** It was written to a connection that was lost: what became of it there is unknown. */
  wasWritten = false;
  /** While it waits: its class, and its neighbours in the list of its client. */
  priority: Priority = Priority.medium;
  next: Request | undefined;
  previous: Request | undefined;

  get isNotification(): boolean {
    return this.cutStart < 0;
  }

  /** When it is in flight, more of it than its id has to be kept. */
  get isNeededAgain(): boolean {
    return this.batch !== undefined || this.retriesLeft > 0 || this.wasWritten || this.tokens !== undefined;
  }

  /** Its method as logs show it; '' for one that they do not. */
  get shownMethod(): string {
    return shownMethod(this.bytes, this.methodStart, this.methodEnd);
  }

  get size(): number {
    return this.end - this.start;
  }

  /** Describes the message that was just scanned as Request or Notification. */
  describe(bytes: Uint8Array, start: number, end: number, scan: Scan): void {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.cutStart = scan.idStart;
    this.cutEnd = scan.idEnd;
    this.methodStart = scan.methodStart;
    this.methodEnd = scan.methodEnd;
    this.batch = undefined;
    this.retriesLeft = 0;
    this.wasWritten = false;
    this.shareKey = undefined;
    this.tokens = undefined;
    if (this.isNotification) return;
    if (isEscaped(bytes, scan.idStart, scan.idEnd)) {
      this.id = canonicalId(bytes, scan.idStart, scan.idEnd);
      this.idStart = 0;
      this.idEnd = this.id.length;
    } else {
      this.id = bytes;
      this.idStart = scan.idStart;
      this.idEnd = scan.idEnd;
    }
    this.idHash = hashId(this.id, this.idStart, this.idEnd);
  }

  /** A copy with bytes of its own, to outlive the network buffer. */
  keep(): Request {
    const copy = this.#copyWithId();
    copy.bytes = copyBytes(this.bytes, this.start, this.end);
    copy.end = copy.bytes.length;
    copy.methodStart = this.methodStart - this.start;
    copy.methodEnd = this.methodEnd - this.start;
    if (this.isNotification) return copy;
    copy.cutStart = this.cutStart - this.start;
    copy.cutEnd = this.cutEnd - this.start;
    return copy;
  }

  /** A copy of all but the bytes, for a request that is not to be sent itself. */
  keepId(): Request {
    const copy = this.#copyWithId();
    copy.bytes = Buffer.from(this.shownMethod);
    copy.methodStart = 0;
    copy.methodEnd = copy.bytes.length;
    copy.end = 0;
    if (!this.isNotification) copy.cutStart = copy.cutEnd = 0;
    return copy;
  }

  /** A copy with bytes of its own that belongs to no client: to no batch, and not shared once more. */
  keepOwn(): Request {
    const copy = this.keep();
    copy.batch = undefined;
    copy.shareKey = undefined;
    return copy;
  }

  #copyWithId(): Request {
    const copy = new Request();
    Object.assign(copy, this);
    copy.start = 0;
    if (this.isNotification) return copy;
    copy.id = copyBytes(this.id, this.idStart, this.idEnd);
    copy.idStart = 0;
    copy.idEnd = copy.id.length;
    return copy;
  }

  /** True when both have the same id, of the same JSON type. */
  hasIdOf(other: Request): boolean {
    if (this.isNotification || this.idHash !== other.idHash) return false;
    return sameId(this.id, this.idStart, this.idEnd, other.id, other.idStart, other.idEnd);
  }
}
