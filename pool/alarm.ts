/** One timer for many times: it rings at the earliest that was asked for. Whoever hears it asks again for the next. */
export class Alarm {
  readonly #now: () => number;
  readonly #onRing: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor({ now, onRing }: { now: () => number; onRing: () => void }) {
    this.#now = now;
    this.#onRing = onRing;
  }

  /** Rings at this time, unless it does so before. */
  set(atMs: number): void {
    if (atMs >= this.#atMs) return;
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#timer = setTimeout(
      () => {
        this.#atMs = Infinity;
        this.#onRing();
      },
      Math.max(1, Math.ceil(atMs - this.#now())),
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#atMs = Infinity;
  }
}
