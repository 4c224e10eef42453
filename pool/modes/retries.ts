import { Alarm } from '../alarm.ts';
import { backoffDelayMs } from '../backoff.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Channel, Requester } from './channel.ts';
import { RetryBudget } from './retry-budget.ts';

export interface RetriesOptions {
  readonly budgetRatio: number;
  /** Most milliseconds before the first retry of a request; each further one may take twice as long. */
  readonly backoffMs: number;
  readonly maxRetries: number;
  readonly now: () => number;
  readonly random: () => number;
  /** The back-off of some client may be over. */
  readonly onDue: () => void;
}

/** The back-off before a retry grows up to so many times the first. */
const maxBackoffs = 10;

/** Which requests are sent again after they were written and their connection was lost, and when. */
export class Retries {
  readonly #options: RetriesOptions;
  readonly #budget: RetryBudget;
  readonly #alarm: Alarm;

  constructor(options: RetriesOptions) {
    this.#options = options;
    this.#budget = new RetryBudget(options.budgetRatio);
    this.#alarm = new Alarm({ now: options.now, onRing: options.onDue });
  }

  /** To be called for each request: it earns its share of a retry. */
  earn(): void {
    this.#budget.earn();
  }

  /** The request kept in that slot of a lost connection when it may be sent again, within the budget, which is then charged. */
  take(channel: Channel, slot: number): Request | undefined {
    const kept = channel.inFlight.kept[slot];
    if (kept === undefined || kept.retriesLeft === 0 || !this.#budget.spend()) return undefined;
    kept.retriesLeft--;
    kept.wasWritten = true;
    return kept;
  }

  /** Nothing of the client is sent until the back-off before this retry is over, so that its requests keep their order. */
  backOff(lease: Requester, request: Request): void {
    const { backoffMs, maxRetries, now, random } = this.#options;
    if (backoffMs === 0) return;
    const attempt = maxRetries - request.retriesLeft - 1;
    const delayMs = backoffDelayMs(
      { baseDelayMs: backoffMs, maxDelayMs: maxBackoffs * backoffMs, factor: 2, jitter: true },
      attempt,
      random,
    );
    lease.heldUntilMs = Math.max(lease.heldUntilMs, now() + delayMs);
    this.ringAt(lease.heldUntilMs);
  }

  /** `onDue` is called at this time, or before; never for Infinity. */
  ringAt(atMs: number): void {
    this.#alarm.set(atMs);
  }

  stop(): void {
    this.#alarm.stop();
  }
}
