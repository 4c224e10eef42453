export interface PacerOptions {
  readonly startMs: number;
  readonly ratePerSecond: number;
  /** How many messages there are in all. */
  readonly total: number;
  /** 0 to 1, of the time between two messages: so loaders that share a rate do not send at the same moments. */
  readonly phase: number;
}

/** The times at which messages are due: evenly spread, whatever became of those before. */
export class Pacer {
  readonly total: number;
  readonly #startMs: number;
  readonly #perMs: number;
  readonly #phase: number;

  constructor({ startMs, ratePerSecond, total, phase }: PacerOptions) {
    this.total = total;
    this.#startMs = startMs;
    this.#perMs = ratePerSecond / 1_000;
    this.#phase = phase;
  }

  /** When the message was or will be due; they are numbered from 0. */
  dueMs(message: number): number {
    return this.#startMs + (message + this.#phase) / this.#perMs;
  }

  /** How many messages are due by then. */
  dueBy(nowMs: number): number {
    const due = Math.floor((nowMs - this.#startMs) * this.#perMs - this.#phase) + 1;
    return due < 0 ? 0 : due > this.total ? this.total : due;
  }
}
