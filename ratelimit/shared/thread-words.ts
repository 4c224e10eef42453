/**
 * What is used of each cell, in one 64-bit word that threads change by compare-and-exchange: no thread ever waits for
 * another, alive or dead. Times are milliseconds since the epoch of the memory; a step back counts as no time.
 */
export interface ThreadWords {
  /** Most that a cell can ever hold. */
  capacity(): number;
  /** After a granted `lease`: until when what is over of it may be spent, as that counts as if it were taken then. */
  readonly endsMs: number;
  /** How much later that is for each unit that is spent of it, and in what time each that is not drains after that; 0 for at once. */
  readonly unitMs: number;
  /**
   * Takes up to `want` at once, though no less than `least`, which is spent now, and returns how much; -1 when there is not
   * enough. May return more than `want` where the word counts in larger steps. Takes `least` from a fresh cell even when it
   * holds less. `lastsMs` is when the thread's lease before ends, all of it spent.
   */
  lease(cell: number, want: number, least: number, nowMs: number, lastsMs: number): number;
  /** Gives back some of a lease that ends at `endsMs`, before that; returns what is too little to be given back. */
  giveBack(cell: number, amount: number, endsMs: number, nowMs: number): number;
  /** How long until `lease` would grant `cost`; 0 for now. In whole milliseconds, rounded up, it is never too short. */
  peek(cell: number, cost: number, nowMs: number): number;
  /** As in Limiter. */
  block(cell: number, durationMs: number, nowMs: number): void;
  /** True when nothing is used, and its word is 0. */
  isFresh(cell: number, nowMs: number): boolean;
  /** As in Limiter. */
  merge(from: number, to: number, nowMs: number): void;
}
