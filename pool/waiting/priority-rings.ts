import { Priority } from './priority.ts';
import { WaitRing, type Waiter } from './queue.ts';

/** Those who wait, in a ring for each class. Everything but `list` is O(1). */
export class PriorityRings<W extends Waiter> {
  readonly #rings = [new WaitRing<W>(), new WaitRing<W>(), new WaitRing<W>()] as const;

  /** A bit for each class in which somebody waits. */
  get wanting(): number {
    const [high, medium, low] = this.#rings;
    return (
      (high.first === undefined ? 0 : 1 << Priority.high) |
      (medium.first === undefined ? 0 : 1 << Priority.medium) |
      (low.first === undefined ? 0 : 1 << Priority.low)
    );
  }

  /** Whose turn it is in a class, or undefined. */
  first(priority: Priority): W | undefined {
    return this.#rings[priority].first;
  }

  /** Puts one at the end of its class, out of whatever ring it is in. */
  add(waiter: W, priority: Priority): void {
    this.#rings[priority].add(waiter);
  }

  /** True when it waits here, in this class. */
  holds(waiter: W, priority: Priority): boolean {
    return waiter.ring === (this.#rings[priority] as WaitRing<Waiter>);
  }

  /** All who wait, the most urgent class first. */
  list(): W[] {
    return this.#rings.flatMap((ring) => ring.list());
  }
}
