/** How an upstream address is: what of several things matters most. `untried` is one that was never dialled. */
export type UpstreamState = 'untried' | 'up' | 'down' | 'breaker-open' | 'half-open' | 'ejected' | 'removed';

/** What went wrong: a dial failed, a connection was lost, an answer did not come in time, or was an error that shows a fault. */
export type FailureKind = 'dial' | 'lost' | 'silent' | 'faulty';

/** How one upstream is and since when, and what went wrong there last; for operators, nothing is decided by it. */
export class Condition {
  /** When something went wrong last; −Infinity when nothing has. */
  failedAtMs = -Infinity;
  failureKind: FailureKind = 'dial';
  /** What is known beyond the kind, without anything secret; '' for nothing. */
  failureDetail = '';
  #state: UpstreamState | undefined;
  #sinceMs = 0;

  /** It is like this now; to be called several times a second, and before it is reported. */
  see(state: UpstreamState, nowMs: number): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = nowMs;
  }

  /** When it was first seen as it is. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  failed(nowMs: number, kind: FailureKind, detail = ''): void {
    this.failedAtMs = nowMs;
    this.failureKind = kind;
    this.failureDetail = detail;
  }
}
