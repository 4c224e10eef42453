import { LatencyHistogram } from '../result/latency-histogram.ts';
import type { StageMessage } from './stage-messages.ts';

const tickMs = 1;

/** One connection that takes part. */
export interface Asker {
  /** Sends one message, due at `dueMs`; resolves to what went wrong with it, undefined when its own reply came. Rejects never. */
  ask(dueMs: number): Promise<string | undefined>;
  /** Gives up on messages that were unanswered for too long, which settles them. */
  giveUpLate(): void;
  /** False once it can send no more. */
  readonly open: boolean;
}

export interface OpenLoopOptions {
  readonly name: string;
  /** Messages per second of all connections together. */
  readonly rate: number;
  readonly seconds: number;
  /** False where replies are not waited for, and not counted. */
  readonly answered: boolean;
  readonly tell: (message: StageMessage) => void;
}

/**
 * An open loop over all connections that join it: messages go out when they are due, in turns, whether those before were answered
 * or not, and their latency counts from when they were due. It begins with the first that joins.
 */
export class OpenLoop {
  readonly #options: OpenLoopOptions;
  readonly #askers: Asker[] = [];
  #running: Promise<void> | undefined;
  #turn = 0;
  #unsettled = 0;
  #startedMs = 0;
  #counts = new SecondCounts();
  #second = 0;

  constructor(options: OpenLoopOptions) {
    this.#options = options;
  }

  /** Takes part; resolves when the loop is over and every message of it is settled. */
  async join(asker: Asker): Promise<void> {
    this.#askers.push(asker);
    this.#running ??= this.#run();
    await this.#running;
  }

  async #run(): Promise<void> {
    // Those who come in the same moment are there from the first message on.
    await pause(0);
    const { name, rate, seconds, tell } = this.#options;
    this.#startedMs = performance.now();
    const connections = this.#askers.length;
    tell({ type: 'stage-began', name, atMs: Date.now(), rate, seconds, connections });
    const all = Math.round(rate * seconds);
    let sent = 0;
    while (sent < all) {
      await pause(tickMs);
      const elapsedMs = performance.now() - this.#startedMs;
      for (const upTo = Math.min(all, 1 + Math.floor((elapsedMs * rate) / 1_000)); sent < upTo; sent++)
        this.#send(this.#startedMs + (sent * 1_000) / rate);
      this.#closeSeconds();
      if (!this.#anyOpen) break;
    }
    while (this.#unsettled > 0 || performance.now() < this.#startedMs + seconds * 1_000) {
      await pause(5);
      this.#closeSeconds();
      if (this.#unsettled === 0 && !this.#anyOpen) break;
    }
    this.#tellSecond();
    tell({ type: 'stage-ended', name, atMs: Date.now(), connections: this.#askers.length });
  }

  #send(dueMs: number): void {
    const asker = this.#nextOpen();
    if (asker === undefined) return;
    this.#unsettled++;
    this.#counts.sent++;
    void asker.ask(dueMs).then((failure) => {
      this.#unsettled--;
      this.#closeSeconds();
      if (failure !== undefined) this.#counts.fail(failure);
      else if (this.#options.answered) this.#counts.reply(performance.now() - dueMs);
    });
  }

  get #anyOpen(): boolean {
    return this.#askers.some(({ open }) => open);
  }

  /** The next in turn, past those that are closed; undefined when all are. */
  #nextOpen(): Asker | undefined {
    for (let tried = 0; tried < this.#askers.length; tried++) {
      const asker = this.#askers[this.#turn++ % this.#askers.length]!;
      if (asker.open) return asker;
    }
    return undefined;
  }

  /** Tells of the seconds that are over. */
  #closeSeconds(): void {
    const now = Math.floor((performance.now() - this.#startedMs) / 1_000);
    for (; this.#second < now; this.#second++) {
      this.#tellSecond();
      for (const asker of this.#askers) asker.giveUpLate();
    }
  }

  #tellSecond(): void {
    this.#options.tell({
      type: 'stage-second',
      name: this.#options.name,
      second: this.#second,
      ...this.#counts.figures,
    });
    this.#counts = new SecondCounts();
  }
}

/** What is counted in one second. */
class SecondCounts {
  sent = 0;
  #replied = 0;
  readonly #errors: Record<string, number> = {};
  readonly #latency = new LatencyHistogram();

  reply(ms: number): void {
    this.#replied++;
    this.#latency.record(ms * 1_000);
  }

  fail(kind: string): void {
    this.#errors[kind] = (this.#errors[kind] ?? 0) + 1;
  }

  get figures(): {
    sent: number;
    replied: number;
    errors: Readonly<Record<string, number>>;
    latency: string | null;
  } {
    const latency = this.#replied === 0 ? null : this.#latency.encoded;
    return { sent: this.sent, replied: this.#replied, errors: this.#errors, latency };
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
