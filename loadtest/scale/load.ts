import { kinds } from '../result/failure-kinds.ts';
import { Faults } from './faults.ts';
import { LatencyCounts } from './latency-counts.ts';
import { Ledger } from './ledger.ts';
import type { LoadCounts } from './messages.ts';
import type { Pacer } from './pacer.ts';

/** Sends without a look at the socket in between: the rest of a backlog waits until replies were read. */
const mostAtOnce = 32;
const lostConnection = 'a message was due to a client that had lost its connection';

/** A client, as a load sees it. */
export interface Speaker {
  slot: number;
  /** Connected now. */
  isOpen(): boolean;
  /** Sends its message of that number; false when it could not. */
  say(counter: number): boolean;
}

export interface LoadOptions {
  readonly speakers: readonly Speaker[];
  readonly pacer: Pacer;
  /** The number of each client's first message, above all that it has sent before. */
  readonly firstCounter: number;
  readonly requestLength: number;
  readonly replyLength: number;
}

/**
 * One open loop over many clients, which take turns: a message goes out when it is due, whether those before were answered or not. A message's
 * number says whose it is and when it was due, so that nothing is kept of it but a bit until it is answered.
 */
export class Load {
  readonly #options: LoadOptions;
  readonly #ledger = new Ledger();
  readonly #latency = new LatencyCounts();
  readonly #lateness = new LatencyCounts();
  readonly #errors = new Faults();
  readonly #unsent = new Faults();
  /** Messages dealt with, sent or not. */
  #next = 0;
  #sent = 0;
  #received = 0;
  #orphaned = 0;
  #lastReplyMs = 0;
  #ended = false;
  #pumping = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    for (const [slot, speaker] of options.speakers.entries()) speaker.slot = slot;
  }

  /** True when nothing more will be sent. */
  get allSent(): boolean {
    return this.#ended || this.#next >= this.#options.pacer.total;
  }

  /** Messages that wait for an answer. */
  get owed(): number {
    return this.#ledger.owed;
  }

  /** Messages whose client was lost before they were answered. */
  get orphaned(): number {
    return this.#orphaned;
  }

  /** When the last reply came; 0 when none did. */
  get lastReplyMs(): number {
    return this.#lastReplyMs;
  }

  /** The number above all that were used. */
  get nextCounter(): number {
    return this.#options.firstCounter + Math.ceil(this.#next / Math.max(1, this.#options.speakers.length));
  }

  /** Milliseconds until the next message is due; 0 when one is. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#options.pacer.dueMs(this.#next) - nowMs);
  }

  /** Nothing more is sent. */
  end(): void {
    this.#ended = true;
  }

  /** Sends what is due, so much at once; returns false when some of it is left for later. */
  pump(nowMs: number): boolean {
    if (this.#pumping || this.allSent) return true;
    this.#pumping = true;
    const { pacer } = this.#options;
    const due = pacer.dueBy(nowMs);
    const upTo = Math.min(due, this.#next + mostAtOnce);
    for (; this.#next < upTo; this.#next++) this.#send(this.#next, nowMs);
    this.#pumping = false;
    return upTo === due;
  }

  /** Returns false when the client waits for no such answer in this load. */
  onAnswer(slot: number, counter: number, nowMs: number, error?: string): boolean {
    const message = (counter - this.#options.firstCounter) * this.#options.speakers.length + slot;
    if (message < 0 || !this.#ledger.settle(message)) return false;
    if (error !== undefined) {
      this.#errors.add(error.slice(0, error.indexOf(':')), error);
      return true;
    }
    this.#received++;
    this.#lastReplyMs = nowMs;
    this.#latency.record((nowMs - this.#options.pacer.dueMs(message)) * 1_000);
    return true;
  }

  /** The client of that slot is gone: what it was owed will not come. */
  onGone(slot: number): void {
    const step = this.#options.speakers.length;
    for (let message = slot; message < this.#next; message += step)
      if (this.#ledger.settle(message)) this.#orphaned++;
  }

  /** Returns what happened since it was asked last. */
  take(): LoadCounts {
    const { requestLength, replyLength } = this.#options;
    const counts = {
      sent: this.#sent,
      received: this.#received,
      bytesSent: this.#sent * requestLength,
      bytesReceived: this.#received * replyLength,
      errors: this.#errors.take(),
      unsent: this.#unsent.take(),
      latency: this.#latency.take(),
      lateness: this.#lateness.take(),
    };
    this.#sent = 0;
    this.#received = 0;
    return counts;
  }

  #send(message: number, nowMs: number): void {
    const { speakers, pacer } = this.#options;
    const speaker = speakers[message % speakers.length]!;
    if (!speaker.isOpen()) return this.#unsent.add(kinds.gone, lostConnection);
    if (speaker.say(this.#options.firstCounter + Math.floor(message / speakers.length))) {
      this.#ledger.owe(message);
      this.#sent++;
      this.#lateness.record((nowMs - pacer.dueMs(message)) * 1_000);
    } else if (speaker.isOpen())
      this.#unsent.add(kinds.readsTooSlowly, 'a message was due while the one before was not yet taken');
    else this.#unsent.add(kinds.gone, lostConnection);
  }
}
