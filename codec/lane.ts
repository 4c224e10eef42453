/** What is done with each message of a lane. */
export interface LaneWork {
  /** True when the message is to take the way through the thread pool. */
  isSlow(bytes: Uint8Array, isBinary: boolean): boolean;
  /** Transforms a message in this thread and hands it on. */
  now(bytes: Uint8Array, isBinary: boolean): void;
  /** Transforms a message in the thread pool; what it resolves to hands it on, when it is this message's turn. */
  inPool(bytes: Uint8Array, isBinary: boolean): Promise<() => void>;
  /** Something threw; nothing more is handed on. */
  onError(error: unknown): void;
  /** More waits than allowed; nothing more is handed on. */
  onOverflow(): void;
}

/** What all lanes of a gateway share. */
export interface LaneContext {
  /** Runs a job in the thread pool, when its turn comes. */
  readonly runInPool: <T>(job: () => Promise<T>) => Promise<T>;
  /** How much may wait in one lane. */
  readonly maxPendingBytes: number;
  /** How much may wait in all of them. */
  readonly maxTotalPendingBytes: number;
  /** What waits in all of them now; kept by the lanes. */
  pendingBytes: number;
}

interface Item {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
  next: Item | undefined;
}

/** What keeping a message costs beyond its bytes. */
const itemOverheadBytes = 128;
/** After so much, overhead included, others get their turn of the event loop. */
const turnBytes = 65_536;

/** Messages in one direction of one connection, handed on in their order although some take the way through the thread pool. */
export class Lane {
  readonly #context: LaneContext;
  readonly #work: LaneWork;
  /** Linked: thousands of small messages may wait, and an array of so many is slow to shift. */
  #first: Item | undefined;
  #last: Item | undefined;
  #callbacks: (() => void)[] = [];
  #pendingBytes = 0;
  #stopped = false;

  constructor(context: LaneContext, work: LaneWork) {
    this.#context = context;
    this.#work = work;
  }

  /** Nothing waits. */
  get idle(): boolean {
    return this.#first === undefined;
  }

  /** More than half of what may wait does. */
  get crowded(): boolean {
    return this.#pendingBytes > this.#context.maxPendingBytes / 2;
  }

  /** Takes a message; its memory needs to be valid only during the call. */
  push(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#stopped) return;
    if (!this.idle || this.#work.isSlow(bytes, isBinary)) this.#wait(bytes, isBinary);
    else this.#now(bytes, isBinary);
  }

  /** Visits what waits, oldest first. */
  visit(visit: (bytes: Uint8Array, isBinary: boolean) => void): void {
    for (let item = this.#first; item !== undefined; item = item.next) visit(item.bytes, item.isBinary);
  }

  /** Runs the callback once everything taken so far is handed on, or will never be. */
  afterPending(callback: () => void): void {
    if (this.idle) callback();
    else this.#callbacks.push(callback);
  }

  /** Hands nothing on any more, and forgets what waits. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#first = this.#last = undefined;
    this.#charge(-this.#pendingBytes);
    this.#runCallbacks();
  }

  #now(bytes: Uint8Array, isBinary: boolean): void {
    try {
      this.#work.now(bytes, isBinary);
    } catch (error) {
      this.#fail(error);
    }
  }

  #wait(bytes: Uint8Array, isBinary: boolean): void {
    const { maxPendingBytes, maxTotalPendingBytes } = this.#context;
    this.#charge(bytes.length + itemOverheadBytes);
    if (this.#pendingBytes > maxPendingBytes || this.#context.pendingBytes > maxTotalPendingBytes) {
      this.stop();
      this.#work.onOverflow();
      return;
    }
    const item: Item = { bytes: new Uint8Array(bytes), isBinary, next: undefined };
    const wasIdle = this.idle;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    if (wasIdle) void this.#handOnPending();
  }

  async #handOnPending(): Promise<void> {
    let thisTurnBytes = 0;
    for (let item = this.#first; item !== undefined; item = this.#first) {
      const costBytes = item.bytes.length + itemOverheadBytes;
      if (this.#work.isSlow(item.bytes, item.isBinary)) {
        await this.#handOnFromPool();
      } else if (thisTurnBytes < turnBytes) {
        thisTurnBytes += costBytes;
        this.#now(item.bytes, item.isBinary);
      } else {
        thisTurnBytes = 0;
        await nextTurn();
        continue;
      }
      // A stopped lane has let go of everything.
      if (this.#first === undefined) break;
      this.#first = item.next;
      if (item.next === undefined) this.#last = undefined;
      this.#charge(-costBytes);
    }
    this.#runCallbacks();
  }

  async #handOnFromPool(): Promise<void> {
    try {
      const handOn = await this.#context.runInPool(async () => {
        // A stopped lane has let go of its messages, and leaves its turn to others.
        const item = this.#first;
        return item && this.#work.inPool(item.bytes, item.isBinary);
      });
      if (!this.#stopped) handOn?.();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.stop();
    this.#work.onError(error);
  }

  #charge(bytes: number): void {
    this.#pendingBytes += bytes;
    this.#context.pendingBytes += bytes;
  }

  #runCallbacks(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = [];
    for (const callback of callbacks) callback();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
