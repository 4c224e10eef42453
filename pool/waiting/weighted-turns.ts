/**
 * Takes turns by weight, evenly spread, among those who want one at that moment: nginx's smooth weighted round-robin.
 * Whoever goes on wanting one gets it after a number of turns that the weights bound.
 */
export class WeightedTurns {
  readonly #weights: readonly number[];
  readonly #credits: number[];

  /** Weights are whole numbers above 0. */
  constructor(weights: readonly number[]) {
    this.#weights = weights;
    this.#credits = weights.map(() => 0);
  }

  /** Whose turn it is among those whose bit is set in `wanting`, or −1 when that is 0. */
  next(wanting: number): number {
    const credits = this.#credits;
    let total = 0;
    let best = -1;
    for (let index = 0; index < credits.length; index++) {
      if ((wanting & (1 << index)) === 0) continue;
      const weight = this.#weights[index]!;
      total += weight;
      credits[index]! += weight;
      if (best < 0 || credits[index]! > credits[best]!) best = index;
    }
    if (best >= 0) credits[best]! -= total;
    return best;
  }
}
