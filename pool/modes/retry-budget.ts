/** How many retries may be saved up: enough for a lone failure, too few for a storm. */
const maxTokens = 10;

/** Lets retries be at most a share of the traffic: each request earns that share of a retry, each retry costs one. */
export class RetryBudget {
  readonly #ratio: number;
  #tokens = maxTokens;

  constructor(ratio: number) {
    this.#ratio = ratio;
  }

  earn(): void {
    this.#tokens = Math.min(maxTokens, this.#tokens + this.#ratio);
  }

  /** True when a retry may be made; it is then paid for. */
  spend(): boolean {
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
