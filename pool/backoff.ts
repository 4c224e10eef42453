/** How reconnect attempts are spread over time; the `reconnect` section of a pool's config. */
export interface BackoffOptions {
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** By how much the delay grows with each attempt; at least 1. */
  readonly factor: number;
  readonly jitter: boolean;
}

/**
 * Milliseconds to wait before the next attempt; `attempt` is 0 after the first failure. Exponential up to
 * `maxDelayMs`; with jitter anywhere between 0 and that ("full jitter" of the AWS Architecture Blog, "Exponential
 * Backoff And Jitter"). `random` returns numbers from 0 up to but not including 1.
 */
export function backoffDelayMs(backoff: BackoffOptions, attempt: number, random: () => number): number {
  const growth = Math.min(backoff.factor ** attempt, Number.MAX_VALUE);
  const ceilingMs = Math.min(backoff.baseDelayMs * growth, backoff.maxDelayMs);
  return backoff.jitter ? random() * ceilingMs : ceilingMs;
}
