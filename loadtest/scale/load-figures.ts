import { LatencyHistogram } from '../result/latency-histogram.ts';
import { faultCount, Faults } from './faults.ts';
import { addCounted } from './latency-counts.ts';
import type { LoadCounts, LoaderReport } from './messages.ts';

/** A loader whose event loop is at work for more of a second than this is at its end. */
const busyShare = 0.95;

/** The last replies may come so much after the end of a load that serves its rate. */
const tailMs = 100;

export interface LoadFiguresOptions {
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Loader processes that report, numbered from 0. */
  readonly members: number;
  /** Called for each second, in order, once all of them have told of it. */
  readonly onSecond?: ((second: SecondFigures) => void) | undefined;
}

/** What all loaders counted in one second of a load. */
export interface SecondFigures {
  /** Seconds since the load began, at its end. */
  readonly at: number;
  sent: number;
  received: number;
  /** Messages that were answered with an error, or could not be sent. */
  failed: number;
  /** Messages without an answer at its end. */
  owed: number;
  readonly latency: LatencyHistogram;
}

/** What a load was, over all processes, as they tell of it. Each message that was due is received, an error, unsent, orphaned or lost. */
export class LoadFigures {
  readonly ratePerSecond: number;
  /** Wanted; less when it was stopped before its time. */
  durationMs: number;
  readonly latency = new LatencyHistogram();
  /** How much later than they were due the loaders sent messages. */
  readonly lateness = new LatencyHistogram();
  /** Answered with an error. */
  readonly errors = new Faults();
  readonly unsent = new Faults();
  sent = 0;
  received = 0;
  bytesSent = 0;
  bytesReceived = 0;
  /** Sent, and no answer came in time. */
  lost = 0;
  /** Sent, and the connection was lost before the answer. */
  orphaned = 0;
  /** Milliseconds from the start to the last reply. */
  lastReplyMs = 0;
  /** 0 to 1: of the seconds of all loaders, in how many the event loop hardly rested. */
  get busyShare(): number {
    return this.#seconds === 0 ? 0 : this.#busySeconds / this.#seconds;
  }
  #seconds = 0;
  #busySeconds = 0;
  readonly #onSecond: LoadFiguresOptions['onSecond'];
  /** By member: the second that it is in. */
  readonly #reached: number[];
  readonly #owed: number[];
  readonly #open = new Map<number, SecondFigures>();
  /** The second in which the load ends: replies that trickle in for a moment more are counted in it. */
  readonly #lastSecond: number;
  #nextToTell = 0;

  constructor({ ratePerSecond, durationMs, members, onSecond }: LoadFiguresOptions) {
    this.ratePerSecond = ratePerSecond;
    this.durationMs = durationMs;
    this.#onSecond = onSecond;
    this.#reached = new Array<number>(members).fill(0);
    this.#owed = new Array<number>(members).fill(0);
    this.#lastSecond = Math.ceil(durationMs / 1_000) - 1;
  }

  /** A member has told of a second. */
  onSecond(member: number, report: Extract<LoaderReport, { type: 'second' }>): void {
    this.#owed[member] = report.owed;
    this.#add(report.second, report.counts);
    this.#seconds++;
    if (report.busy > busyShare) this.#busySeconds++;
    this.#reached[member] = report.second + 1;
    this.#tell();
  }

  /** A member is done. */
  onLoaded(member: number, report: Extract<LoaderReport, { type: 'loaded' }>): void {
    this.#owed[member] = 0;
    const second = this.#reached[member]!;
    this.#add(second > this.#lastSecond ? second - 1 : second, report.counts);
    this.lost += report.lost;
    this.orphaned += report.orphaned;
    this.lastReplyMs = Math.max(this.lastReplyMs, report.lastReplyMs);
    this.#reached[member] = Infinity;
    this.#tell();
  }

  /** Messages that were due. */
  get due(): number {
    return this.sent + this.unsent.total;
  }

  /** Messages that were due and not answered, or with an error. */
  get failed(): number {
    return this.due - this.received;
  }

  /** Right answers per second: over the load, and longer where many replies came after its end. */
  get repliesPerSecond(): number {
    return (this.received / Math.max(this.durationMs, this.lastReplyMs - tailMs)) * 1_000;
  }

  #add(second: number, counts: LoadCounts): void {
    const figures = this.#secondAt(second);
    figures.sent += counts.sent;
    figures.received += counts.received;
    figures.failed += faultCount(counts.errors) + faultCount(counts.unsent);
    addCounted(figures.latency, counts.latency);
    this.sent += counts.sent;
    this.received += counts.received;
    this.bytesSent += counts.bytesSent;
    this.bytesReceived += counts.bytesReceived;
    this.errors.addAll(counts.errors);
    this.unsent.addAll(counts.unsent);
    addCounted(this.latency, counts.latency);
    addCounted(this.lateness, counts.lateness);
  }

  #secondAt(second: number): SecondFigures {
    const known = this.#open.get(second);
    if (known) return known;
    const at = second === this.#lastSecond ? this.durationMs / 1_000 : second + 1;
    const figures = { at, sent: 0, received: 0, failed: 0, owed: 0, latency: new LatencyHistogram() };
    this.#open.set(second, figures);
    return figures;
  }

  #tell(): void {
    const reached = Math.min(...this.#reached);
    for (;;) {
      const second = this.#nextToTell;
      // What a member counts after the end of the load may still belong to the second before.
      if (reached <= (second < this.#lastSecond ? second : second + 1)) return;
      const figures = this.#open.get(second);
      if (figures === undefined && this.#open.size === 0) return;
      this.#open.delete(second);
      this.#nextToTell++;
      if (figures) this.#onSecond?.({ ...figures, owed: this.#owed.reduce((sum, owed) => sum + owed, 0) });
    }
  }
}
