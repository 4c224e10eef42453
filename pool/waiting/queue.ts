/** One who may wait in a ring; the fields belong to the ring. */
export interface Waiter {
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
}

/** Takes turns: a circular list of those who wait. Everything is O(1). */
export class WaitRing<W extends Waiter> {
  #first: W | undefined;

  /** Whose turn it is, or undefined when nobody waits. */
  get first(): W | undefined {
    return this.#first;
  }

  /** Puts one at the end, out of whatever ring it is in. */
  add(waiter: W): void {
    waiter.ring?.remove(waiter);
    waiter.ring = this;
    const first = this.#first;
    if (first === undefined) {
      this.#first = waiter;
      waiter.ringNext = waiter.ringPrevious = waiter;
      return;
    }
    const last = first.ringPrevious!;
    waiter.ringNext = first;
    waiter.ringPrevious = last;
    last.ringNext = first.ringPrevious = waiter;
  }

  /** Takes one out; nothing happens when it is not in this ring. */
  remove(waiter: W): void {
    if (waiter.ring !== this) return;
    const next = waiter.ringNext as W;
    if (next === waiter) {
      this.#first = undefined;
    } else {
      next.ringPrevious = waiter.ringPrevious;
      waiter.ringPrevious!.ringNext = next;
      if (this.#first === waiter) this.#first = next;
    }
    waiter.ring = waiter.ringNext = waiter.ringPrevious = undefined;
  }

  /** All who wait, in their order. */
  list(): W[] {
    const all: W[] = [];
    for (let waiter = this.#first; waiter !== undefined;) {
      all.push(waiter);
      const next = waiter.ringNext as W;
      waiter = next === this.#first ? undefined : next;
    }
    return all;
  }
}
