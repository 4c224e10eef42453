/** Turns figures that only grow into what they grew by per second, each from one look to the next. */
export class Rates {
  readonly #before = new Map<string, number>();

  /** The rate since the last call for this name; 0 at the first. The names are a closed set. */
  of(name: string, total: number, spanMs: number): number {
    const before = this.#before.get(name) ?? total;
    this.#before.set(name, total);
    return spanMs > 0 ? ((total - before) * 1_000) / spanMs : 0;
  }
}
