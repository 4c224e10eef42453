import type { Balancer, Member } from './balancer.ts';
import { Xorshift32 } from './xorshift.ts';

/** So that one pick in a thousand goes through the whole list while nine of ten members are unavailable. */
const MAX_PROBES = 64;

/** Every available member is equally likely. */
export class Random implements Balancer {
  readonly #numbers: Xorshift32;

  constructor({ random }: { random: () => number }) {
    this.#numbers = new Xorshift32(random());
  }

  pick<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    for (let probe = Math.min(length, MAX_PROBES); probe > 0; probe--) {
      const member = members[(this.#numbers.next() * length) | 0]!;
      if (member.available) return member;
    }
    return this.#pickAmongFew(members);
  }

  #pickAmongFew<M extends Member>(members: readonly M[]): M | undefined {
    let available = 0;
    for (const member of members) if (member.available) available++;
    let rank = (this.#numbers.next() * available) | 0;
    for (const member of members) if (member.available && rank-- === 0) return member;
    return undefined;
  }
}
