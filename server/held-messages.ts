/** A message of a client that has to wait. */
interface Held {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
  /** When it goes on; Infinity while it is not known whether it may. */
  readonly dueMs: number;
  /** What became of the requests in it; undefined while that is not known. */
  readonly charges: readonly number[] | undefined;
}

export interface HeldMessagesOptions {
  /** What may wait together; messages of no length count too. */
  readonly maxBytes: number;
  readonly now: () => number;
  /** Sends a message on. One whose charges were not known may have to wait again, and is the first to be held then. */
  readonly resend: (bytes: Uint8Array, isBinary: boolean, charges: readonly number[] | undefined) => void;
}

/** What keeping a message costs beyond its bytes. */
const overheadBytes = 256;

/** The messages of one client that rate limits let through later, in order. */
export class HeldMessages {
  readonly #options: HeldMessagesOptions;
  readonly #queue: Held[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #resending = false;

  constructor(options: HeldMessagesOptions) {
    this.#options = options;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** When the last one goes on; Infinity when that is not known. */
  get lastDueMs(): number {
    return this.#queue.at(-1)?.dueMs ?? 0;
  }

  /** The one that is being sent on does not count. */
  get isQueueing(): boolean {
    return this.#queue.length > 0 && !this.#resending;
  }

  /** Also for any message while none waits. */
  hasRoomFor(bytes: number): boolean {
    if (this.#queue.length === 0) return true;
    return this.#bytes + bytes + overheadBytes <= this.#options.maxBytes;
  }

  /** Keeps a copy of a message until `dueMs`, or with Infinity until `wake`. The one that is being sent on goes back to the front. */
  hold(bytes: Uint8Array, isBinary: boolean, dueMs: number, charges: readonly number[] | undefined): void {
    const held = { bytes: Uint8Array.from(bytes), isBinary, dueMs, charges };
    if (this.#resending) this.#queue.unshift(held);
    else this.#queue.push(held);
    this.#bytes += bytes.length + overheadBytes;
    if (this.#queue.length === 1) this.#schedule();
  }

  /** The first one may be tried again. */
  wake(): void {
    this.#sendDue();
  }

  /** The client is gone. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#bytes = 0;
  }

  #sendDue(): void {
    const nowMs = this.#options.now();
    while (this.#queue.length > 0) {
      const { dueMs } = this.#queue[0]!;
      if (dueMs !== Infinity && dueMs > nowMs) break;
      const before = this.#queue.length;
      this.#sendFirst();
      if (this.#queue.length >= before) break;
    }
    this.#schedule();
  }

  #sendFirst(): void {
    const { bytes, isBinary, charges } = this.#queue.shift()!;
    this.#bytes -= bytes.length + overheadBytes;
    this.#resending = true;
    try {
      this.#options.resend(bytes, isBinary, charges);
    } finally {
      this.#resending = false;
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const first = this.#queue[0];
    if (first === undefined || first.dueMs === Infinity) return;
    const waitMs = Math.max(0, Math.ceil(first.dueMs - this.#options.now()));
    this.#timer = setTimeout(() => this.#sendDue(), waitMs);
  }
}
