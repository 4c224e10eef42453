import type { Balancer, Member } from './balancer.ts';
import { drawIndex, Xorshift32 } from './xorshift.ts';

const MAX_SCANNED = 12;
/** So that one pick in a million goes through the whole list while nine of ten members are unavailable. */
const PROBES = 64;

/**
 * The member with the least load: exactly so up to 12 members; above that the better of two drawn at random
 * (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing"), which costs the same for any number.
 */
export class LeastConnections implements Balancer {
  readonly #numbers: Xorshift32;
  #next = 0;

  constructor({ random }: { random: () => number }) {
    this.#numbers = new Xorshift32(random());
  }

  pick<M extends Member>(members: readonly M[]): M | undefined {
    if (members.length <= MAX_SCANNED) return this.#scan(members);
    return this.#betterOfTwo(members) ?? this.#scan(members);
  }

  /** Starts behind the last one picked, so that members of equal load take turns. */
  #scan<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    let best: M | undefined;
    let bestLoad = Infinity;
    let bestIndex = -1;
    let index = this.#next;
    for (let left = length; left > 0 && bestLoad > 0; left--, index++) {
      if (index >= length) index = 0;
      const member = members[index]!;
      const { load } = member;
      if (load >= bestLoad || !member.available) continue;
      best = member;
      bestLoad = load;
      bestIndex = index;
    }
    this.#next = bestIndex + 1;
    return best;
  }

  #betterOfTwo<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    for (let probe = 0; probe < PROBES; probe++) {
      // Half of the bits for each.
      const bits = this.#numbers.bits();
      const one = members[drawIndex(bits, length)]!;
      const other = members[drawIndex(bits << 16, length)]!;
      const better = other.load < one.load ? other : one;
      if (better.available) return better;
      if (one.available) return one;
      if (other.available) return other;
    }
    return undefined;
  }
}
