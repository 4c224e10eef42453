/** What is done with each message of a lane. */
export interface LaneWork {
  /** True when the message is to take the way through the thread pool. */
  isSlow(bytes: Uint8Array, isBinary: boolean): boolean;
  /** True when others are to have their turn of the event loop first. */
  mustRest(): boolean;
  /** Transforms a message in this thread and hands it on. */
  now(bytes: Uint8Array, isBinary: boolean): void;
  /** Transforms a message in the thread pool; what it resolves to hands it on, when it is this message's turn. */
  inPool(bytes: Uint8Array, isBinary: boolean): Promise<() => void>;
  /** Something threw; nothing more is handed on. */
  onError(error: unknown): void;
  /** More waits than allowed: the lane is to be stopped, or emptied by `handOver`. */
  onOverflow(): void;
}

/** What all lanes of a gateway share. */
export interface LaneContext {
  /** Runs a job in the thread pool, when its turn comes. */
  readonly runInPool: <T>(job: () => Promise<T>) => Promise<T>;
  /** How much may wait in one lane behind its first message. */
  readonly maxPendingBytes: number;
  /** Beyond so much in all of them, none may hold more than a small part of what it otherwise may. */
  readonly maxTotalPendingBytes: number;
  /** What waits in all of them now; kept by the lanes. */
  pendingBytes: number;
  /** Told of bugs: something threw where nothing may. */
  readonly onError: (error: unknown) => void;
}

interface Item {
  bytes: Uint8Array;
  readonly isBinary: boolean;
  next: Item | undefined;
}

/** What keeping a message costs beyond its bytes. */
const itemOverheadBytes = 640;
/** The part of its room that a lane still has when all of them together hold too much. */
const scarcity = 16;
/** After so many messages others get their turn of the event loop, however small they are. */
const turnMessages = 512;
const nothing = new Uint8Array(0);

/** Messages in one direction of one connection, handed on in their order although some take the way through the thread pool. */
export class Lane {
  readonly #context: LaneContext;
  readonly #work: LaneWork;
  readonly #maxPendingBytes: number;
  /** Linked: thousands of small messages may wait, and an array of so many is slow to shift. */
  #first: Item | undefined;
  #last: Item | undefined;
  #callbacks: (() => void)[] = [];
  #pendingBytes = 0;
  #isHandingOn = false;
  #stopped = false;

  constructor(context: LaneContext, work: LaneWork, maxPendingBytes: number) {
    this.#context = context;
    this.#work = work;
    this.#maxPendingBytes = maxPendingBytes;
  }

  /** Nothing waits. */
  get idle(): boolean {
    return this.#first === undefined;
  }

  /** So much waits that there should not be more. */
  get crowded(): boolean {
    return this.#pendingBytes > this.#context.maxPendingBytes / 2;
  }

  /** Takes a message; its memory needs to be valid only during the call. */
  push(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#stopped) return;
    const work = this.#work;
    if (!this.idle || work.isSlow(bytes, isBinary) || work.mustRest()) this.#wait(bytes, isBinary);
    else this.#now(bytes, isBinary);
  }

  /** Visits what waits, oldest first, without what is being handed on right now. */
  visit(visit: (bytes: Uint8Array, isBinary: boolean) => void): void {
    const first = this.#isHandingOn ? this.#first?.next : this.#first;
    for (let item = first; item !== undefined; item = item.next) visit(item.bytes, item.isBinary);
  }

  /** Runs the callback once everything taken so far is handed on, or will never be. */
  afterPending(callback: () => void): void {
    if (this.idle) callback();
    else this.#callbacks.push(callback);
  }

  /** Hands everything that waits on at once, this way; what the thread pool makes of it is forgotten. */
  handOver(handOn: (bytes: Uint8Array, isBinary: boolean) => void): void {
    for (let item = this.#first; item !== undefined; item = this.#first) {
      const { bytes, isBinary } = item;
      const isHandedOn = this.#isHandingOn;
      this.#isHandingOn = false;
      this.#remove(item);
      if (!isHandedOn) handOn(bytes, isBinary);
    }
    this.#runCallbacks();
  }

  /** Hands nothing on any more, and forgets what waits. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (let item = this.#first; item !== undefined; item = this.#first) this.#remove(item);
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
    const item: Item = { bytes: new Uint8Array(bytes), isBinary, next: undefined };
    const wasIdle = this.idle;
    if (this.#last === undefined) this.#first = item;
    else this.#last.next = item;
    this.#last = item;
    this.#charge(costBytes(item));
    if (wasIdle) this.#handOnPending().catch(this.#context.onError);
    else if (this.#overflows) this.#work.onOverflow();
  }

  get #overflows(): boolean {
    const { pendingBytes, maxTotalPendingBytes } = this.#context;
    const isScarce = pendingBytes > maxTotalPendingBytes;
    const behindFirst = this.#pendingBytes - (this.#first === undefined ? 0 : costBytes(this.#first));
    return behindFirst > this.#maxPendingBytes / (isScarce ? scarcity : 1);
  }

  async #handOnPending(): Promise<void> {
    let handedOn = 0;
    for (let item = this.#first; item !== undefined; item = this.#first) {
      if (this.#work.isSlow(item.bytes, item.isBinary)) {
        const handOn = await this.#finishInPool(item);
        // Without another await until it is removed: in between it could be shown or handed over once more.
        if (this.#first === item) this.#handOn(handOn);
      } else if (handedOn === turnMessages || this.#work.mustRest()) {
        handedOn = 0;
        await nextTurn();
        if (this.#first === item) continue;
      } else {
        handedOn++;
        this.#isHandingOn = true;
        this.#now(item.bytes, item.isBinary);
        this.#isHandingOn = false;
      }
      // Stopped or handed over: what waits now, if anything, has somebody else who sees to it.
      if (this.#first !== item) return;
      this.#remove(item);
    }
    this.#runCallbacks();
  }

  /** What hands the message on; throws, when called, what the thread pool threw. */
  async #finishInPool(item: Item): Promise<() => void> {
    try {
      const handOn = await this.#context.runInPool(async () =>
        // Who has let go of its messages leaves its turn to others.
        this.#first === item ? this.#work.inPool(item.bytes, item.isBinary) : undefined,
      );
      return handOn ?? ((): void => undefined);
    } catch (error) {
      return () => {
        throw error;
      };
    }
  }

  #handOn(handOn: () => void): void {
    this.#isHandingOn = true;
    try {
      handOn();
    } catch (error) {
      this.#fail(error);
    }
    this.#isHandingOn = false;
  }

  #remove(item: Item): void {
    this.#first = item.next;
    if (item.next === undefined) this.#last = undefined;
    this.#charge(-costBytes(item));
    // Whoever still waits for its turn in the pool is not to hold the memory.
    item.bytes = nothing;
    item.next = undefined;
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    // Whoever is told can still visit what waits behind it.
    this.#isHandingOn = true;
    this.#work.onError(error);
    this.#isHandingOn = false;
    this.stop();
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

function costBytes({ bytes }: Item): number {
  return bytes.length + itemOverheadBytes;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
