/** What went wrong, by kind: how often, and what the first one said. Kinds are of a bounded set. */
export type CountedFaults = Readonly<Record<string, { readonly count: number; readonly first: string }>>;

/** Counts faults by kind. */
export class Faults {
  readonly #byKind = new Map<string, { count: number; first: string }>();

  add(kind: string, text: string, count = 1): void {
    const seen = this.#byKind.get(kind);
    if (seen === undefined) this.#byKind.set(kind, { count, first: text });
    else seen.count += count;
  }

  addAll(counted: CountedFaults): void {
    for (const [kind, { count, first }] of Object.entries(counted)) this.add(kind, first, count);
  }

  get total(): number {
    let sum = 0;
    for (const { count } of this.#byKind.values()) sum += count;
    return sum;
  }

  /** Most frequent first. */
  get counted(): CountedFaults {
    return Object.fromEntries([...this.#byKind].sort(([, a], [, b]) => b.count - a.count));
  }

  /** Returns what was counted, and forgets it. */
  take(): CountedFaults {
    const { counted } = this;
    this.#byKind.clear();
    return counted;
  }
}

/** How many faults those are. */
export function faultCount(counted: CountedFaults): number {
  return Object.values(counted).reduce((sum, { count }) => sum + count, 0);
}
