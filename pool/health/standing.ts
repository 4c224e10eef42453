/** How one upstream has done of late, for `Outliers` to compare it with its peers. */
export class Standing {
  /** It gets no clients for a while. A plain field, for the balancers read it at every pick. */
  ejected = false;
  /** When the ejection ends, or the last one ended. */
  untilMs = -Infinity;
  /** Ejections that followed one upon another. */
  ejections = 0;
  /** Asks for a judgement; set by `Outliers`. */
  judge: ((nowMs: number) => void) | undefined;
  #failures = 0;

  /** What failed in a row, by the server's fault. */
  get failures(): number {
    return this.#failures;
  }

  /** It gave a good answer. A pong is none. */
  succeeded(): void {
    if (this.#failures > 0) this.#failures = 0;
  }

  failed(nowMs: number): void {
    this.#failures++;
    this.judge?.(nowMs);
  }

  eject(untilMs: number): void {
    this.ejected = true;
    this.untilMs = untilMs;
    this.ejections++;
  }

  /** It is back; so many failures stand against it until its first good answer. */
  readmit(nowMs: number, failures: number): void {
    this.ejected = false;
    this.untilMs = nowMs;
    this.#failures = failures;
  }
}
