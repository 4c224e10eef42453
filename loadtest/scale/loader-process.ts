import { kinds } from '../result/failure-kinds.ts';
import { Exchange, firstCounter } from './exchange.ts';
import { Faults } from './faults.ts';
import { LatencyCounts } from './latency-counts.ts';
import { Load } from './load.ts';
import type { LoaderCommand, LoaderOrder, LoaderReport, LoadOrder } from './messages.ts';
import { Pacer } from './pacer.ts';
import { ScaleClient, type ClientState, type Crowd } from './scale-client.ts';

const connectsAtOnce = 50;
const tellEveryMs = 250;
const longestNapMs = 20;
const napWhileWaitingMs = 2;

/** All clients of one loader process: connects them, and loads the server with them whenever it is told to. */
export class LoaderProcess implements Crowd {
  readonly target: LoaderOrder;
  readonly exchange: Exchange;
  readonly readBuffer = Buffer.alloc(65_536);
  readonly #order: LoaderOrder;
  readonly #report: (report: LoaderReport) => void;
  readonly #clients: ScaleClient[] = [];
  readonly #opening = new Set<ScaleClient>();
  readonly #faults = new Faults();
  readonly #handshake = new LatencyCounts();
  #open = 0;
  #failed = 0;
  #connected = false;
  #changed = false;
  #running: RunningLoad | undefined;
  #nextCounter = firstCounter;

  constructor(order: LoaderOrder, report: (report: LoaderReport) => void) {
    this.target = order;
    this.exchange = new Exchange(order.protocol, order.bytes);
    this.#order = order;
    this.#report = report;
    setInterval(() => this.#tellClients(), tellEveryMs);
    this.#connectMore();
  }

  obey(command: LoaderCommand): void {
    if (command.type === 'stop') return this.#running?.stop(command.replyTimeoutMs);
    const { ratePerSecond, total, startEpochMs, phase } = command;
    const startMs = startEpochMs - performance.timeOrigin;
    const speakers = this.#clients.filter(({ state }) => state === 'open');
    // Who was not there when the load began takes no part in it.
    for (const client of this.#clients) client.slot = -1;
    const load = new Load({
      speakers,
      pacer: new Pacer({ startMs, ratePerSecond, total: speakers.length === 0 ? 0 : total, phase }),
      firstCounter: this.#nextCounter,
      requestLength: this.exchange.requestLength,
      replyLength: this.exchange.replyLength,
    });
    this.#running = new RunningLoad(load, command, startMs, (report) => {
      if (report.type === 'loaded') {
        this.#nextCounter = load.nextCounter;
        this.#running = undefined;
      }
      this.#tellClients();
      this.#report(report);
    });
  }

  onOpen(client: ScaleClient): void {
    this.#opening.delete(client);
    this.#open++;
    this.#changed = true;
    this.#handshake.record((performance.now() - client.openingMs) * 1_000);
    this.#connectMore();
  }

  onAnswer(client: ScaleClient, counter: number, nowMs: number, error?: string): boolean {
    const running = this.#running;
    // The answer to a message of an earlier load, which was counted as lost then.
    if (running === undefined || counter < running.firstCounter) return counter < this.#nextCounter;
    const known = running.load.onAnswer(client.slot, counter, nowMs, error);
    running.pump(nowMs);
    return known;
  }

  onFault(client: ScaleClient, before: ClientState, kind: string, reason: string): void {
    this.#changed = true;
    this.#faults.add(kind, `client ${client.number}: ${reason}`);
    if (before === 'open') {
      this.#open--;
      if (client.slot >= 0) this.#running?.load.onGone(client.slot);
      return;
    }
    this.#opening.delete(client);
    this.#failed++;
    this.#connectMore();
  }

  close(): void {
    for (const client of this.#clients) client.close();
  }

  #connectMore(): void {
    const { clients, localAddresses, firstClient } = this.#order;
    while (this.#opening.size < connectsAtOnce && this.#clients.length < clients) {
      const index = this.#clients.length;
      const client = new ScaleClient(
        this,
        firstClient + index,
        localAddresses[index % localAddresses.length],
      );
      this.#clients.push(client);
      this.#opening.add(client);
    }
    if (this.#connected || this.#opening.size > 0 || this.#clients.length < clients) return;
    this.#connected = true;
    this.#tellClients();
    this.#report({ type: 'connected', handshake: this.#handshake.take() });
  }

  #tellClients(): void {
    const { handshakeTimeoutMs } = this.#order;
    const oldestMs = performance.now() - handshakeTimeoutMs;
    for (const client of this.#opening)
      if (client.openingMs < oldestMs)
        client.giveUp(
          kinds.handshakeTimeout,
          `the server answered no handshake within ${handshakeTimeoutMs / 1_000} s`,
        );
    if (!this.#changed) return;
    this.#changed = false;
    this.#report({ type: 'clients', open: this.#open, failed: this.#failed, faults: this.#faults.take() });
  }
}

/** A load on its way: the timers around it. */
class RunningLoad {
  readonly load: Load;
  readonly firstCounter: number;
  readonly #startMs: number;
  readonly #report: (report: LoaderReport) => void;
  #replyTimeoutMs: number;
  #sentAllMs: number | undefined;
  #second = 0;
  #usedBefore = performance.eventLoopUtilization();
  /** Set while something that is due waits for the next turn. */
  #hurrying = false;

  constructor(load: Load, order: LoadOrder, startMs: number, report: (report: LoaderReport) => void) {
    this.load = load;
    this.firstCounter = load.nextCounter;
    this.#startMs = startMs;
    this.#report = report;
    this.#replyTimeoutMs = order.replyTimeoutMs;
    this.#turn();
  }

  /** Sends what is due. Replies call it too, so that messages go out between two ticks of a timer, which are a millisecond apart. */
  pump(nowMs: number): void {
    if (this.load.pump(nowMs) || this.#hurrying) return;
    this.#hurrying = true;
    setImmediate(() => {
      this.#hurrying = false;
      this.pump(performance.now());
    });
  }

  stop(replyTimeoutMs: number): void {
    this.load.end();
    this.#replyTimeoutMs = replyTimeoutMs;
  }

  #turn(): void {
    const nowMs = performance.now();
    this.pump(nowMs);
    this.#tellSeconds(nowMs);
    if (this.load.allSent && this.#isOver(nowMs)) return this.#finish();
    const napMs = this.load.allSent ? napWhileWaitingMs : Math.min(this.load.waitMs(nowMs), longestNapMs);
    setTimeout(() => this.#turn(), napMs);
  }

  #isOver(nowMs: number): boolean {
    this.#sentAllMs ??= nowMs;
    return this.load.owed === 0 || nowMs - this.#sentAllMs > this.#replyTimeoutMs;
  }

  #tellSeconds(nowMs: number): void {
    const second = Math.floor((nowMs - this.#startMs) / 1_000);
    if (second <= this.#second) return;
    const used = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(used, this.#usedBefore).utilization;
    this.#usedBefore = used;
    this.#report({
      ...{ type: 'second', second: this.#second, busy },
      ...{ counts: this.load.take(), owed: this.load.owed },
    });
    this.#second = second;
  }

  #finish(): void {
    const { load } = this;
    const lastReplyMs = Math.max(0, load.lastReplyMs - this.#startMs);
    this.#report({
      type: 'loaded',
      counts: load.take(),
      lost: load.owed,
      orphaned: load.orphaned,
      lastReplyMs,
    });
  }
}
