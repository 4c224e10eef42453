import type { Balancer, Member } from './balancer.ts';
import { Xorshift32 } from './xorshift.ts';

const PROBES = 4;

/** Every available member is equally likely. */
export class Random implements Balancer {
  readonly #numbers: Xorshift32;

  constructor({ random }: { random: () => number }) {
    this.#numbers = new Xorshift32(random());
  }

  pick<M extends Member>(members: readonly M[]): M | undefined {
    for (let probe = 0; probe < PROBES; probe++) {
      const member = members[(this.#numbers.next() * members.length) | 0];
      if (member?.available) return member;
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
