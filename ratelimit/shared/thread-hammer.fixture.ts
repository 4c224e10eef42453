import { parentPort, Worker, workerData } from 'node:worker_threads';
import { ThreadLimiter } from './thread-limiter.ts';
import type { ThreadMemory } from './thread-memory.ts';

/** What one thread is to do. */
export interface HammerOrder {
  readonly memory: ThreadMemory;
  /** How many keys it goes through, each in a slot of its own; 0 for the one that needs no key. */
  readonly keys: number;
  /** How often it takes at each look at the clock. */
  readonly takesPerTurn: number;
  /** How long it waits in between. */
  readonly pauseMs: number;
  readonly durationMs: number;
}

export interface HammerResult {
  /** By key. */
  readonly admitted: readonly number[];
  readonly takes: number;
  /** How long it was kept from its work: others had the processor. */
  readonly awayMs: number;
  readonly startedNs: bigint;
  readonly endedNs: bigint;
}

/** A thread that hammers a limit when it is told. */
export class Hammer {
  readonly #worker: Worker;
  readonly #signal = new Int32Array(new SharedArrayBuffer(8));
  readonly #result: Promise<HammerResult>;
  readonly #ready: Promise<SharedArrayBuffer>;

  constructor(order: HammerOrder) {
    this.#worker = new Worker(new URL(import.meta.url), { workerData: { order, signal: this.#signal } });
    let fail: (reason: Error) => void = () => undefined;
    this.#ready = new Promise((resolve, reject) => {
      fail = reject;
      this.#worker.once('message', resolve);
    });
    this.#result = this.#ready.then(
      () =>
        new Promise((resolve, reject) => {
          fail = reject;
          this.#worker.once('message', resolve);
        }),
    );
    this.#result.catch(() => undefined);
    this.#worker.on('error', (error) => fail(error));
    this.#worker.on('exit', () => fail(new Error('the thread is gone')));
  }

  /** Until it waits for its start; returns the `held` of its limiter. */
  get ready(): Promise<SharedArrayBuffer> {
    return this.#ready;
  }

  start(): void {
    Atomics.store(this.#signal, 0, 1);
    Atomics.notify(this.#signal, 0);
  }

  get result(): Promise<HammerResult> {
    return this.#result;
  }

  /** How many turns it has done so far. */
  get turns(): number {
    return Atomics.load(this.#signal, 1);
  }

  /** Ends it in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** Has threads hammer at the same time. */
export async function hammer(...orders: HammerOrder[]): Promise<HammerResult[]> {
  const threads = orders.map((order) => new Hammer(order));
  try {
    await Promise.all(threads.map((thread) => thread.ready));
    for (const thread of threads) thread.start();
    return await Promise.all(threads.map((thread) => thread.result));
  } finally {
    await Promise.all(threads.map((thread) => thread.kill()));
  }
}

function work(order: HammerOrder, signal: Int32Array<SharedArrayBuffer>): void {
  const { memory, keys, takesPerTurn, pauseMs, durationMs } = order;
  const slots = Math.max(1, keys);
  const limiter = new ThreadLimiter(memory, { slots });
  for (let key = 0; key < keys; key++) limiter.reset(key, `key ${key}`);
  const admitted = new Float64Array(slots);
  parentPort!.postMessage(limiter.held);
  Atomics.wait(signal, 0, 0);
  const startedNs = process.hrtime.bigint();
  const endMs = performance.now() + durationMs;
  let slot = 0;
  let takes = 0;
  let awayMs = 0;
  let lookedMs = performance.now();
  for (let nowMs = performance.now(); nowMs < endMs; nowMs = performance.now()) {
    if (nowMs - lookedMs > pauseMs + 1) awayMs += nowMs - lookedMs - pauseMs;
    lookedMs = nowMs;
    for (let i = 0; i < takesPerTurn; i++) {
      if (limiter.take(slot, 1, nowMs) === 0) admitted[slot]! += 1;
      if (++slot === slots) slot = 0;
    }
    takes += takesPerTurn;
    Atomics.add(signal, 1, 1);
    limiter.sweep(nowMs);
    if (pauseMs > 0) Atomics.wait(signal, 0, 1, pauseMs);
  }
  const result: HammerResult = {
    admitted: [...admitted],
    takes,
    awayMs,
    startedNs,
    endedNs: process.hrtime.bigint(),
  };
  parentPort!.postMessage(result);
}

const task = workerData as { order?: HammerOrder; signal?: Int32Array<SharedArrayBuffer> } | null;
if (task?.order && task.signal) work(task.order, task.signal);
