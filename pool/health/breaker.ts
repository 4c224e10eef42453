/** The `breaker` section of a pool's config. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** Successful probes that close it again. */
  readonly successThreshold: number;
  /** How long it stays open before a probe may go. */
  readonly resetTimeoutMs: number;
}

/** The states by the numbers that the metrics publish. */
export const BreakerState = { closed: 0, open: 1, halfOpen: 2 } as const;
export type BreakerState = (typeof BreakerState)[keyof typeof BreakerState];

const never = Infinity;
/** Every probe has an outcome; should one be lost all the same, another may go this much after the reset time. */
const lostProbeMs = 60_000;

/**
 * The circuit breaker of one upstream (Nygard, "Release It!"): closed, it counts failures in a row; open, it lets nothing
 * through; half-open, one probe at a time, until enough of them succeeded. It decides and remembers; it calls nothing.
 *
 * Libraries such as opossum and cockatiel run the call for you, behind a promise and a closure each. Here a call is a frame
 * in a buffer and its reply a view of another, some hundred nanoseconds apart from nothing; a success while closed must
 * cost one comparison, which only a breaker that is told of outcomes can offer.
 */
export class Breaker {
  /** Whether something may begin now. A plain field, for the balancers read it at every pick. */
  admits = true;
  /** Called after each change of state, never for a message. */
  onChange: ((state: BreakerState, nowMs: number) => void) | undefined;
  readonly #options: BreakerOptions;
  #state: BreakerState = BreakerState.closed;
  /** Closed, and the last outcome was a success. */
  #calm = true;
  #failures = 0;
  #successes = 0;
  /** Outcomes of what began before are of no interest: it belongs to an earlier state, or is not the probe. */
  #sinceMs = -never;
  #retryAtMs = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** When the next probe may go; 0 unless open. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** False when a request would wait for nothing: open, or half-open with the first probe still out. */
  get hopeful(): boolean {
    return this.admits || (this.#state === BreakerState.halfOpen && this.#successes > 0);
  }

  /** Something that will have an outcome begins; `admits` was true. Returns whether it is the probe of a half-open breaker. */
  began(nowMs: number): boolean {
    if (this.#state !== BreakerState.halfOpen) return false;
    this.admits = false;
    this.#sinceMs = nowMs;
    return true;
  }

  /** What began then was answered, whatever the answer. */
  succeeded(beganAtMs: number, nowMs: number): void {
    if (this.#calm || beganAtMs < this.#sinceMs) return;
    if (this.#state === BreakerState.closed) {
      this.#failures = 0;
      this.#calm = true;
      return;
    }
    if (++this.#successes >= this.#options.successThreshold) this.#close(nowMs);
    else this.#awaitProbe();
  }

  /** What began then found the upstream out of reach or silent. */
  failed(beganAtMs: number, nowMs: number): void {
    if (beganAtMs >= this.#sinceMs) this.#fail(nowMs);
  }

  /** The upstream broke a connection, just now. */
  lost(nowMs: number): void {
    if (this.#state !== BreakerState.open) this.#fail(nowMs);
  }

  /** What began then was given up and will have no outcome: another may go if it was the probe, as it is unless a time is given. */
  abandoned(beganAtMs = never): void {
    if (this.#state === BreakerState.halfOpen && beganAtMs >= this.#sinceMs) this.#awaitProbe();
  }

  /** An operator says that all is well. */
  reset(nowMs: number): void {
    if (this.#state !== BreakerState.closed) this.#close(nowMs);
    this.#failures = 0;
    this.#calm = true;
  }

  /** Lets a probe go when its time has come, and then returns true; to be called now and then. */
  tick(nowMs: number): boolean {
    if (this.#state === BreakerState.closed) return false;
    if (this.#state === BreakerState.halfOpen) return this.#forgetLostProbe(nowMs);
    if (nowMs < this.#retryAtMs) return false;
    this.#retryAtMs = 0;
    this.#successes = 0;
    this.#awaitProbe();
    this.#enter(BreakerState.halfOpen, nowMs);
    return true;
  }

  #fail(nowMs: number): void {
    this.#calm = false;
    if (this.#state === BreakerState.halfOpen || ++this.#failures >= this.#options.failureThreshold) {
      this.#open(nowMs);
    }
  }

  #forgetLostProbe(nowMs: number): boolean {
    const isLost = !this.admits && nowMs - this.#sinceMs > this.#options.resetTimeoutMs + lostProbeMs;
    if (isLost) this.#awaitProbe();
    return isLost;
  }

  #awaitProbe(): void {
    this.admits = true;
    this.#sinceMs = never;
  }

  #open(nowMs: number): void {
    this.admits = false;
    this.#sinceMs = never;
    this.#retryAtMs = nowMs + this.#options.resetTimeoutMs;
    this.#enter(BreakerState.open, nowMs);
  }

  #close(nowMs: number): void {
    this.admits = true;
    this.#calm = true;
    this.#failures = 0;
    this.#sinceMs = nowMs;
    this.#retryAtMs = 0;
    this.#enter(BreakerState.closed, nowMs);
  }

  #enter(state: BreakerState, nowMs: number): void {
    this.#state = state;
    this.onChange?.(state, nowMs);
  }
}
