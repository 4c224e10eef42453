/** Lets `atOnce` through at the same time, the others in their order; 0 lets all through. */
export class Gate {
  readonly #atOnce: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;
  #first = 0;

  constructor(atOnce: number) {
    this.#atOnce = atOnce === 0 ? Infinity : atOnce;
  }

  /** Does `work` once there is room for it. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#inside < this.#atOnce) this.#inside++;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** The next one takes the place of who leaves. */
  #leave(): void {
    const next = this.#waiting[this.#first];
    if (next === undefined) {
      this.#inside--;
      return;
    }
    this.#first++;
    if (this.#first === this.#waiting.length) this.#waiting.length = this.#first = 0;
    next();
  }
}
