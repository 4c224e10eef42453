/**
 * So much may be transformed for one connection before others get their turn of the event loop: 2 to 4 ms. What the engine reads at
 * once stays below it unless it is packed to less than an eighth: whoever sends fast then feels it in TCP, as without a codec.
 */
const turnBytes = 1 << 22;
/** What handling a message costs beyond its bytes. */
const messageBytes = 64;

/** Numbers the turns of the event loop; the budgets of all connections share one. */
export class TurnCounter {
  #turn = 0;
  #isCounted = false;

  /** Differs from turn to turn, and only then. */
  get turn(): number {
    if (!this.#isCounted) {
      this.#isCounted = true;
      setImmediate(this.#next);
    }
    return this.#turn;
  }

  readonly #next = (): void => {
    this.#isCounted = false;
    this.#turn++;
  };
}

/** What one connection may cost in one turn of the event loop. A few bytes can unpack to many, so that counting messages would not do. */
export class TurnBudget {
  readonly #counter: TurnCounter;
  #turn = -1;
  #spentBytes = 0;

  constructor(counter: TurnCounter) {
    this.#counter = counter;
  }

  /** Nothing more in this turn. */
  get isSpent(): boolean {
    return this.#spentBytes >= turnBytes && this.#turn === this.#counter.turn;
  }

  spend(bytes: number): void {
    const { turn } = this.#counter;
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#spentBytes = 0;
    }
    this.#spentBytes += bytes + messageBytes;
  }
}
