import type { Balancer, Member } from './balancer.ts';

/** One member after the other; those that are not available lose their turn to the next. */
export class RoundRobin implements Balancer {
  #next = 0;

  pick<M extends Member>(members: readonly M[]): M | undefined {
    const { length } = members;
    let index = this.#next;
    for (let step = 0; step < length; step++) {
      if (index >= length) index = 0;
      const member = members[index++]!;
      if (!member.available) continue;
      this.#next = index;
      return member;
    }
    return undefined;
  }
}
