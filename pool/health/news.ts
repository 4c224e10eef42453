const maxKnown = 1_000;
const quietMs = 60_000;

/** Tells what has not been told within the last minute. */
export class News {
  readonly #toldAtMs = new Map<string, number>();

  /** True when it is to be told now. */
  isNews(what: string, nowMs: number): boolean {
    const toldAtMs = this.#toldAtMs.get(what);
    if (toldAtMs !== undefined && nowMs - toldAtMs < quietMs) return false;
    if (this.#toldAtMs.size >= maxKnown) this.#toldAtMs.clear();
    this.#toldAtMs.set(what, nowMs);
    return true;
  }
}
