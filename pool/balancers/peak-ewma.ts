import type { Balancer, Member } from './balancer.ts';
import { drawIndex, Xorshift32 } from './xorshift.ts';

/** So that one pick in a million goes through the whole list while nine of ten members are unavailable. */
const maxProbes = 64;
/** So that among those of which nothing is known the least loaded costs least, and less than all which are known. */
const unknownMs = 1e-6;

/**
 * Of two drawn at random the one that costs less, and the cost is what a request would wait there: the latency times what
 * would then be in flight. As in Finagle and Linkerd ("Beyond Round Robin: Load Balancing for Latency").
 */
export class PeakEwma implements Balancer {
  readonly #numbers: Xorshift32;

  constructor({ random }: { random: () => number }) {
    this.#numbers = new Xorshift32(random());
  }

  pick<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    for (let probe = length < 2 ? 0 : Math.min(length, maxProbes); probe > 0; probe--) {
      // Half of the bits for each; the second is another than the first.
      const bits = this.#numbers.bits();
      const first = drawIndex(bits, length);
      let second = drawIndex(bits << 16, length - 1);
      // One more when it is not below the first; by its sign, for no processor could foresee that branch.
      second += (first - second - 1) >>> 31;
      const one = members[first]!;
      const other = members[second]!;
      const better = cost(other) < cost(one) ? other : one;
      // The worse one is no substitute: that would be how the slowest gets its share.
      if (better.available) return better;
    }
    return this.#scan(members);
  }

  /** The cheapest of all; from a random one on, so that equals share what comes. */
  #scan<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    let index = (this.#numbers.next() * length) | 0;
    let best: M | undefined;
    let bestCost = Infinity;
    for (let left = length; left > 0; left--, index++) {
      if (index >= length) index = 0;
      const member = members[index]!;
      const its = cost(member);
      if (its >= bestCost || !member.available) continue;
      best = member;
      bestCost = its;
    }
    return best;
  }
}

/** What a request would wait there, as far as is known. */
function cost({ latencyMs, load }: Member): number {
  return (latencyMs + unknownMs) * (load + 1);
}
