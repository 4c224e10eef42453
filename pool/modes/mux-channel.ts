import type { Endpoint } from '../endpoint.ts';
import type { SharedConnection } from '../fleet/shared-connection.ts';
import { MuxFrameReader, type MuxFrameHandler } from '../mux/frame-reader.ts';
import { MuxFrameWriter } from '../mux/frame-writer.ts';
import { StreamTable, type TableEntry } from '../mux/stream-table.ts';
import { WaitRing, type Waiter } from '../waiting/queue.ts';
import type { Flushable, Turn } from '../turn.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream.ts';

/** A client's stream as its channel sees it; see mux-stream.ts. */
export interface ChannelStream extends TableEntry, Waiter {
  onAccept(window: number, protocol: string): void;
  onRefuse(status: number): void;
  onData(buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): void;
  onWindow(credit: number): void;
  onClose(code: number, reason: string): void;
  onChannelLost(): void;
  /** The client is still connected. */
  readonly isAlive: boolean;
  /** An answer seems due. */
  readonly awaitsAnswer: boolean;
  /** Writes about so many bytes of what it holds; true when it could write more. */
  sendHeld(budgetBytes: number): boolean;
}

/** What a channel tells its pool. */
export interface MuxChannelHost {
  readonly turn: Turn;
  readonly maxStreamsPerConnection: number;
  /** Ids are at most this. */
  readonly idCeiling: number;
  /** There may be room for a stream again. */
  onRoom(channel: MuxChannel): void;
  /** No more streams on this connection. */
  retire(channel: MuxChannel): void;
  /** The upstream does not keep to the protocol. */
  onBreach(channel: MuxChannel, problem: string): void;
  onChannelGone(channel: MuxChannel, code: number): void;
}

/** What one stream may write before the next has its turn. */
const turnBytes = 65_536;

/** One upstream connection that carries many clients, each in a stream of its own. */
export class MuxChannel implements SharedConnection, UpstreamOwner, MuxFrameHandler, Flushable {
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;
  draining = false;
  held = false;
  readonly #host: MuxChannelHost;
  readonly #streams = new StreamTable<ChannelStream>();
  /** Streams that have something to send, and wait for the upstream to take it. */
  readonly #ready = new WaitRing<ChannelStream>();
  readonly #reader = new MuxFrameReader({ handler: this, from: 'backend' });
  readonly #writer = new MuxFrameWriter();
  #scheduled = false;

  constructor(upstream: UpstreamConnection, endpoint: Endpoint, host: MuxChannelHost) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#host = host;
    upstream.owner = this;
  }

  /** Streams, those that wait for the last answer of the upstream included. */
  get load(): number {
    return this.#streams.size;
  }

  get latencyMs(): number {
    return this.endpoint.latency.ms;
  }

  get available(): boolean {
    return (
      this.#streams.size < this.#host.maxStreamsPerConnection &&
      this.endpoint.slowStart.allows(this.#streams.size, this.#host.maxStreamsPerConnection) &&
      !this.draining &&
      !this.held &&
      this.upstream.usable &&
      !this.upstream.congested &&
      this.endpoint.admits
    );
  }

  /** Everything was written, and what seemed to want an answer has had it, or none in a while. */
  get quiet(): boolean {
    if (this.#writer.length > 0 || this.upstream.pendingBytes > 0) return false;
    return this.unanswered === 0;
  }

  /** Streams that seem to await an answer. */
  get unanswered(): number {
    return this.#streams.list().filter(({ awaitsAnswer }) => awaitsAnswer).length;
  }

  /** Messages of clients may be written now. */
  get writable(): boolean {
    return !this.upstream.congested && !this.held;
  }

  /** Begins a stream. The channel must be available. */
  open(stream: ChannelStream, json: Uint8Array): void {
    this.#streams.add(stream);
    this.#makeRoom();
    this.#writer.open(stream.id, json);
    if (this.#streams.lastId >= this.#host.idCeiling) this.#host.retire(this);
  }

  /** Writes a message, or a part of one. */
  data(
    stream: ChannelStream,
    buf: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void {
    this.#makeRoom();
    this.#writer.data(stream.id, buf, start, end, isBinary, isLast);
  }

  window(stream: ChannelStream, credit: number): void {
    this.#makeRoom();
    this.#writer.window(stream.id, credit);
  }

  sendClose(stream: ChannelStream, code: number, reason: string): void {
    this.#makeRoom();
    this.#writer.close(stream.id, code, reason);
  }

  /** The stream is over: what still comes for it is dropped. */
  remove(stream: ChannelStream): void {
    this.#ready.remove(stream);
    this.#streams.remove(stream);
    this.#host.onRoom(this);
  }

  /** The stream has something to send: it gets its turn. */
  want(stream: ChannelStream): void {
    if (stream.ring === undefined) this.#ready.add(stream);
    this.pump();
  }

  /** The stream has nothing to send any more. */
  unwant(stream: ChannelStream): void {
    this.#ready.remove(stream);
  }

  /** Lets the streams that wait write, in turns, as long as the upstream takes it. */
  pump(): void {
    while (this.writable) {
      const stream = this.#ready.first;
      if (stream === undefined) return;
      this.#ready.remove(stream);
      if (stream.sendHeld(turnBytes)) this.#ready.add(stream);
    }
  }

  /** Ends the connection, and all streams as if it had been lost: the upstream does not keep to the protocol. */
  breach(problem: string): void {
    if (!this.upstream.usable) return;
    this.#reader.stop();
    this.upstream.close(1002, problem);
    this.#host.onBreach(this, problem);
    this.#host.onChannelGone(this, 1006);
  }

  /** All streams end; each hears of it. */
  loseStreams(): void {
    for (const stream of this.#streams.list()) {
      this.#ready.remove(stream);
      this.#streams.remove(stream);
      stream.onChannelLost();
    }
  }

  /** Called by the turn: one message for all that was written. */
  flush(): void {
    this.#scheduled = false;
    this.sendPending();
  }

  /** Hands what was written to the upstream at once. */
  sendPending(): void {
    if (this.#writer.length === 0) return;
    const message = this.#writer.take();
    if (this.upstream.usable) this.upstream.send(message, 0, message.length, true);
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#reader.push(buf, start, end, isBinary);
  }

  onUpstreamWritable(): void {
    this.pump();
    this.#host.onRoom(this);
  }

  onUpstreamGone(code: number): void {
    this.#reader.stop();
    this.#host.onChannelGone(this, code);
  }

  onData(id: number, buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): void {
    const stream = this.#streams.find(id);
    if (stream === undefined) this.#onUnknown(id);
    else stream.onData(buf, start, end, isBinary, isLast);
  }

  onWindow(id: number, credit: number): void {
    const stream = this.#streams.find(id);
    if (stream === undefined) this.#onUnknown(id);
    else stream.onWindow(credit);
  }

  onClose(id: number, code: number, reason: string): void {
    const stream = this.#streams.find(id);
    if (stream === undefined) this.#onUnknown(id);
    else stream.onClose(code, reason);
  }

  onAccept(id: number, window: number, protocol: string): void {
    const stream = this.#streams.find(id);
    if (stream === undefined) this.#onUnknown(id);
    else stream.onAccept(window, protocol);
  }

  onRefuse(id: number, status: number): void {
    const stream = this.#streams.find(id);
    if (stream === undefined) this.#onUnknown(id);
    else stream.onRefuse(status);
  }

  onPing(id: number, buf: Uint8Array, start: number, end: number): void {
    const stream = id === 0 ? undefined : this.#streams.find(id);
    if (id !== 0 && stream === undefined) return this.#onUnknown(id);
    // An upstream that pings and does not read gets no answers.
    if (stream?.isAlive === false || this.upstream.congested) return;
    this.#makeRoom();
    this.#writer.pong(id, buf, start, end);
  }

  onPong(): void {
    // Nothing is asked here: the connection itself is pinged, and so is each client.
  }

  onGoAway(): void {
    if (!this.draining) this.#host.retire(this);
  }

  onBreach(problem: string): void {
    this.breach(problem);
  }

  onOpen(): void {
    throw new Error('bug: the reader let an OPEN of a backend through');
  }

  #onUnknown(id: number): void {
    // One that is over may have crossed its end, and is dropped.
    if (id > this.#streams.lastId) this.breach('a frame on a stream that was never opened');
  }

  /** There is room for one more frame, and it will be sent at the end of this turn. */
  #makeRoom(): void {
    if (this.#writer.full) this.sendPending();
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#host.turn.scheduleFirst(this);
  }
}
