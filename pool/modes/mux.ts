import type { PoolObserver, SeatHandlers } from '../client-side.ts';
import type { PoolLog } from '../pool-log.ts';
import type { DialRequest } from '../dial.ts';
import type { Endpoint } from '../endpoint.ts';
import { Fleet, type FleetOptions } from '../fleet/fleet.ts';
import { maxStreamId } from '../mux/frames.ts';
import type { Mode } from '../mode.ts';
import { noFigures, openConnections, type ModeFigures } from '../pool-figures.ts';
import type { OperableMode } from '../pool-operations.ts';
import { News } from '../health/news.ts';
import type { Turn } from '../turn.ts';
import { CreditRound } from './credit-round.ts';
import { MuxChannel, type MuxChannelHost } from './mux-channel.ts';
import { MuxStream, type MuxStreamHost } from './mux-stream.ts';

export interface MuxLimits {
  readonly minConnections: number;
  readonly maxStreamsPerConnection: number;
  /** The longest message that a backend may send to a client. */
  readonly maxMessageBytes: number;
  /** What may wait for a client, or of a client's. */
  readonly maxBackpressureBytes: number;
  /** Clients that may wait for a connection, and for how long. */
  readonly queue: { readonly maxSize: number; readonly timeoutMs: number };
  /** Stream ids of a connection are at most this; it is replaced then. */
  readonly idCeiling: number;
}

export interface MuxModeOptions extends Pick<
  FleetOptions<MuxChannel>,
  'connector' | 'balancer' | 'scaling' | 'random' | 'log' | 'name'
> {
  readonly limits: MuxLimits;
  readonly turn: Turn;
  readonly observer: PoolObserver;
  readonly now: () => number;
}

const largestWindowBytes = 262_144;
const closeTimeoutMs = 30_000;

/** Many clients over few connections, each in a stream of its own: any protocol, for backends that speak docs/mux-protocol.md. */
export class MuxMode implements Mode, MuxChannelHost, MuxStreamHost, OperableMode {
  readonly turn: Turn;
  readonly now: () => number;
  readonly observer: PoolObserver;
  readonly maxStreamsPerConnection: number;
  readonly idCeiling: number;
  readonly windowBytes: number;
  readonly maxMessageBytes: number;
  readonly maxHeldBytes: number;
  turnedAway = 0;
  passedOn = 0;
  #upstreamsLost = 0;
  readonly #fleet: Fleet<MuxChannel>;
  readonly #queue: MuxLimits['queue'];
  readonly #log: PoolLog;
  readonly #name: string;
  /** Who waits for a connection, in the order of coming. */
  readonly #waiting = new Set<MuxStream>();
  /** Clients whose connection was lost during a pause. */
  readonly #suspended = new Set<MuxStream>();
  /** Streams that end, in the order of their deadlines. */
  readonly #ending = new Set<MuxStream>();
  /** Streams whose clients have something to read. */
  readonly #watched = new Set<MuxStream>();
  readonly #credits: CreditRound;
  readonly #breaches = new News();

  constructor({ limits, turn, observer, now, ...fleet }: MuxModeOptions) {
    this.turn = turn;
    this.now = now;
    this.observer = observer;
    this.maxStreamsPerConnection = limits.maxStreamsPerConnection;
    this.idCeiling = Math.min(limits.idCeiling, maxStreamId);
    this.windowBytes = Math.max(1_024, Math.min(largestWindowBytes, limits.maxBackpressureBytes));
    this.maxMessageBytes = limits.maxMessageBytes;
    this.maxHeldBytes = limits.maxBackpressureBytes;
    this.#queue = limits.queue;
    this.#log = fleet.log;
    this.#name = fleet.name;
    this.#credits = new CreditRound(turn);
    this.#fleet = new Fleet({
      ...fleet,
      now,
      minConnections: limits.minConnections,
      capacityPerConnection: limits.maxStreamsPerConnection,
      share: (upstream, endpoint) => new MuxChannel(upstream, endpoint, this),
      waiting: () => this.#waiting.size,
      onOpened: (channel) => {
        channel.pump();
        this.#serve();
      },
      onMoreRoom: () => this.#serve(),
      onHopeless: () => this.#refuseAll(),
      onSweep: (nowMs) => this.#sweep(nowMs),
    });
    this.#fleet.start();
  }

  get channels(): readonly MuxChannel[] {
    return this.#fleet.connections;
  }

  /** Clients that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size + this.#suspended.size;
  }

  /** Streams, those that wait for the last answer of their upstream included. */
  get inFlight(): number {
    return this.#fleet.load;
  }

  get hopeful(): boolean {
    return this.#fleet.hopeful;
  }

  get retryAfterMs(): number {
    return this.#fleet.retryAfterMs;
  }

  /** Finds the client a stream, whose answer by the backend decides. The returned function gives up. */
  acquire(request: DialRequest, handlers: SeatHandlers): () => void {
    const stream = new MuxStream(request, handlers, this);
    const channel = this.#waiting.size > 0 ? undefined : this.#fleet.pick();
    if (channel !== undefined) stream.openOn(channel);
    else if (!this.#canWait()) stream.refuse({ status: undefined, retryAfterMs: this.retryAfterMs });
    else this.#wait(stream);
    return () => stream.giveUp();
  }

  get paused(): boolean {
    return this.#fleet.paused;
  }

  get quiet(): boolean {
    return this.channels.every(({ quiet }) => quiet);
  }

  get replacing(): number {
    return this.#fleet.replacing;
  }

  /** What streams carry is not looked into: one that seems to await an answer counts as one. */
  unanswered(): ReadonlyMap<Endpoint, number> {
    const counts = new Map<Endpoint, number>();
    for (const { endpoint, unanswered } of this.channels) {
      counts.set(endpoint, (counts.get(endpoint) ?? 0) + unanswered);
    }
    return counts;
  }

  /** Holds what clients say; what backends say still reaches them, and nobody is disconnected when a connection ends. */
  pause(): void {
    this.#fleet.pause();
  }

  /** Lets all that was held go on. Who waits has the whole time for it once more; first come those whose connection was lost. */
  resume(): void {
    const waiting = [...this.#suspended, ...this.#waiting];
    this.#suspended.clear();
    this.#waiting.clear();
    for (const stream of waiting) this.#wait(stream);
    this.#fleet.resume();
    this.#serve();
  }

  /** Streams stay on their connection, which is closed when the last has ended. */
  reconnect(): void {
    this.#fleet.reconnect();
  }

  onEndpointsChanged(): void {
    this.#fleet.onEndpointsChanged();
  }

  figures(): ModeFigures {
    return {
      ...noFigures(),
      passedOn: this.passedOn,
      connections: openConnections(this.channels),
      inFlight: this.inFlight,
      waiting: this.waiting,
      upstreamsLost: this.#upstreamsLost,
    };
  }

  close(code: number, reason: string): void {
    for (const channel of this.channels) channel.sendPending();
    this.#fleet.close(code, reason);
  }

  onRoom(channel: MuxChannel): void {
    if (this.#waiting.size > 0) this.#serve();
    if (!channel.draining || channel.load > 0) return;
    channel.sendPending();
    this.#fleet.closeIfDrained(channel);
  }

  retire(channel: MuxChannel): void {
    channel.sendPending();
    this.#fleet.retire(channel);
  }

  onBreach(channel: MuxChannel, problem: string): void {
    if (!this.#breaches.isNews(`${channel.upstream.label} ${problem}`, this.now())) return;
    const data = { pool: this.#name, upstream: channel.upstream.label, problem };
    this.#log.warn(data, 'upstream breaks the mux protocol');
  }

  /** The connection is lost, and with it the streams on it. */
  onChannelGone(channel: MuxChannel, code: number): void {
    if (!this.paused) this.#upstreamsLost++;
    this.#fleet.lost(channel, code);
    channel.loseStreams();
    this.#fleet.replace();
    this.#serve();
  }

  checkCreditLater(stream: MuxStream): void {
    this.#credits.add(stream);
  }

  watch(stream: MuxStream): void {
    this.#watched.add(stream);
  }

  unwatch(stream: MuxStream): void {
    this.#watched.delete(stream);
  }

  reopen(stream: MuxStream): void {
    if (this.#canWait()) this.#wait(stream);
    else stream.refuse({ status: undefined, retryAfterMs: this.retryAfterMs });
  }

  suspend(stream: MuxStream): boolean {
    if (this.paused) this.#suspended.add(stream);
    return this.paused;
  }

  awaitClose(stream: MuxStream): void {
    stream.closeDueMs = this.now() + closeTimeoutMs;
    this.#ending.delete(stream);
    this.#ending.add(stream);
  }

  forget(stream: MuxStream): void {
    this.#waiting.delete(stream);
    this.#suspended.delete(stream);
    this.#ending.delete(stream);
  }

  /** Whether one more may wait; counts it as turned away where there are too many. */
  #canWait(): boolean {
    if (!this.hopeful) return false;
    const hasRoom = this.#waiting.size < this.#queue.maxSize;
    if (!hasRoom) this.turnedAway++;
    return hasRoom;
  }

  #wait(stream: MuxStream): void {
    stream.deadlineMs = this.now() + this.#queue.timeoutMs;
    this.#waiting.add(stream);
    if (!this.paused) this.#fleet.growFor(this.#waiting.size);
  }

  /** Gives those who wait a stream each, as long as there is room. */
  #serve(): void {
    for (const stream of this.#waiting) {
      const channel = this.#fleet.pick();
      if (channel === undefined) return this.paused ? undefined : this.#fleet.growFor(this.#waiting.size);
      this.#waiting.delete(stream);
      stream.openOn(channel);
    }
  }

  #refuseAll(): void {
    if (this.paused) return;
    const { retryAfterMs } = this;
    for (const stream of this.#waiting) stream.refuse({ status: undefined, retryAfterMs });
  }

  #sweep(nowMs: number): void {
    for (const stream of this.#watched) stream.onSweep(nowMs);
    for (const stream of this.#ending) {
      if (stream.closeDueMs > nowMs) break;
      stream.onCloseOverdue();
    }
    if (this.paused) return;
    const { retryAfterMs } = this;
    for (const stream of this.#waiting) {
      if (stream.deadlineMs > nowMs) break;
      this.turnedAway++;
      stream.refuse({ status: undefined, retryAfterMs });
    }
  }
}
