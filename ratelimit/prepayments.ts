/** Who has paid for more requests than have come. */
export interface Prepaid {
  /** Gives back what is paid for and not used. */
  returnPrepaid(): void;
}

/**
 * What was paid in advance in one turn of the event loop. It has to be given back before anything else is asked of the
 * limiters in a later turn: then it is as if it had never been taken.
 */
export class Prepayments {
  readonly #owners: Prepaid[] = [];
  #turnMs = -1;

  note(owner: Prepaid, nowMs: number): void {
    this.#owners.push(owner);
    this.#turnMs = nowMs;
  }

  /** Has everything given back that was paid in earlier turns. */
  settle(nowMs: number): void {
    if (nowMs !== this.#turnMs && this.#owners.length > 0) this.reclaim();
  }

  /** Has everything given back, because somebody else may need it; false when there was nothing. */
  reclaim(): boolean {
    const { length } = this.#owners;
    for (let index = 0; index < length; index++) this.#owners[index]!.returnPrepaid();
    this.#owners.length = 0;
    return length > 0;
  }
}
