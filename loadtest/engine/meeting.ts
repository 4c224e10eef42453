/** A point in a flow at which virtual users wait for one another. */
export class Meeting {
  readonly #expected: number;
  readonly #waiting: (() => void)[] = [];
  #arrived = 0;
  #gone = 0;

  /** Lets everybody on when `expected` have come, or have ended before. */
  constructor(expected: number) {
    this.#expected = expected;
  }

  /** Resolves when all are there. */
  async wait(): Promise<void> {
    this.#arrived++;
    if (this.#complete) this.#letOn();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** One that was expected will not come. */
  giveUpOne(): void {
    this.#gone++;
    if (this.#complete) this.#letOn();
  }

  get #complete(): boolean {
    return this.#arrived + this.#gone >= this.#expected;
  }

  #letOn(): void {
    for (const letOn of this.#waiting.splice(0)) letOn();
  }
}
