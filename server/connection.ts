import type { MessageCodec } from '../codec/message-codec.ts';
import {
  Transcoder,
  type TranscoderContext,
  type TranscoderFault,
  type TranscoderLimits,
  type TranscoderOwner,
} from '../codec/transcoder.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import {
  Charge,
  type ClientSide,
  type Lease,
  type LeaseFigures,
  type RequestRange,
  type Seat,
} from '../pool/client-side.ts';
import type { Flushable, Turn } from '../pool/turn.ts';
import type { ClientKeys } from '../ratelimit/limit-config.ts';
import type { Limits } from '../ratelimit/limits.ts';
import { closeTable, isSendableCloseCode, type CloseCause, type ErrorType } from './close-codes.ts';
import type { HeartbeatPeer, HeartbeatWheel } from './heartbeat.ts';
import type { Outbox, OutboxClient } from './outbox.ts';
import { Spending } from './spending.ts';

/** What the listener's engine offers for one client. */
export interface ClientSocket {
  /** 1 sent, 0 buffered, 2 dropped. */
  send(message: Uint8Array, isBinary: boolean): number;
  ping(): number;
  getBufferedAmount(): number;
  cork(callback: () => void): unknown;
  /** Sends a close frame. Runs the close handler before it returns. */
  end(code?: number, reason?: string): void;
  /** Cuts the connection. Runs the close handler before it returns. */
  close(): void;
}

/** What all client connections of a gateway share. */
export interface ConnectionContext {
  readonly metrics: GatewayMetrics;
  readonly log: { debug(data: object, message: string): void };
  readonly errorIndex: Readonly<Record<ErrorType, number>>;
  readonly outbox: Outbox;
  readonly turn: Turn;
  readonly heartbeat: HeartbeatWheel;
  readonly limits: Limits;
  readonly now: () => number;
  readonly clockMs: () => number;
  readonly transcoding: TranscoderContext;
  readonly transcoderLimits: TranscoderLimits;
  readonly maxMessageBytes: number;
  readonly maxBackpressureBytes: number;
}

export interface ConnectionOptions {
  /** Its own among all that this gateway has had; later ones are higher. */
  readonly id: number;
  readonly socket: ClientSocket;
  readonly seat: Seat;
  /** What rate limits know it by, and caps count it under. */
  readonly keys: ClientKeys;
  /** What its messages are packed with; undefined for plain ones. */
  readonly codec: MessageCodec | undefined;
  /** By which it is found in other logs; '' for nothing. */
  readonly requestId: string;
}

/** One client: its messages go to its lease, what comes back goes to its socket. */
export class Connection implements ClientSide, OutboxClient, HeartbeatPeer, TranscoderOwner, Flushable {
  readonly id: number;
  readonly requestId: string;
  readonly keys: ClientKeys;
  /** What it was opened at, by the clock that is read once a turn. */
  readonly openedAtMs: number;
  /** Messages and bytes, as they are on the wire. */
  messagesReceived = 0;
  bytesReceived = 0;
  messagesSent = 0;
  bytesSent = 0;
  /** The engine still holds much that this client has not read, for a while after it was ended. */
  lingers = false;
  /** The outbox's items for this client: first and last, −1 for none. */
  outboxFirst = -1;
  outboxLast = -1;
  heartbeatSlot = -1;
  heartbeatIndex = -1;
  pingSentAtMs = 0;
  readonly #context: ConnectionContext;
  readonly #socket: ClientSocket;
  readonly #lease: Lease;
  readonly #transcoder: Transcoder | undefined;
  readonly #spending: Spending;
  /** A pong is due: it is not the client's own idea, and free. */
  #pongDue = false;
  #corkedFirst = -1;
  /** The reason to close, once there is one: nothing is sent to or taken from the client after it. */
  #ending: { code: number; reason: string } | undefined;
  #closed = false;
  /** It is to go as soon as nothing is due to it. */
  #leaving = false;
  /** The last message did not leave at once, so the next one has to look how much waits. */
  #backlogged = false;

  constructor(context: ConnectionContext, { id, socket, seat, keys, codec, requestId }: ConnectionOptions) {
    this.#context = context;
    this.#socket = socket;
    this.id = id;
    this.requestId = requestId;
    this.keys = keys;
    this.openedAtMs = context.now();
    this.#spending = new Spending(context, keys, this);
    this.#transcoder = codec && new Transcoder(codec, context.transcoding, context.transcoderLimits, this);
    this.#lease = seat.attach(this);
    context.metrics.connectionOpened();
    context.log.debug(
      { client: id, requestId: requestId || undefined, route: keys.route },
      'client connected',
    );
    context.heartbeat.add(this);
  }

  /** True while a reply is due or on its way. */
  get busy(): boolean {
    return this.#lease.busy || this.#transcoder?.busy === true || this.#spending.isHolding;
  }

  /** What it has under way, for operators. */
  figures(): LeaseFigures {
    return this.#lease.figures();
  }

  /** What its messages are packed with, or null. */
  get codec(): string | null {
    return this.#transcoder?.codecName ?? null;
  }

  /** A message arrived; its memory is only valid during the call. */
  onFrame(message: ArrayBuffer, isBinary: boolean): void {
    // Who goes on sending does not get to keep the event loop until the end of the turn.
    if (this.#ending !== undefined) return this.flush();
    // Before it asks for more: what a drained client has no answer to was not carried out.
    if (this.#leaving && !this.busy) return this.drain();
    const { metrics, maxMessageBytes } = this.#context;
    const bytes = new Uint8Array(message);
    metrics.received(bytes.length);
    this.messagesReceived++;
    this.bytesReceived += bytes.length;
    this.pingSentAtMs = 0;
    // The flag byte that a codec adds comes on top.
    const flagBytes = this.#transcoder === undefined ? 0 : 1;
    if (bytes.length > maxMessageBytes + flagBytes) return this.fail('message-too-big');
    if (this.#transcoder === undefined) this.onDecoded(bytes, isBinary);
    else this.#transcoder.decode(bytes, isBinary);
  }

  onDecoded(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#spending.isLimited) this.#spending.pass(bytes, isBinary);
    else if (!this.#lease.send(bytes, isBinary)) this.fail('upstream-slow');
  }

  /** Hands a message to the lease, which charges for each request in it, or has it charged as a whole. */
  forward(bytes: Uint8Array, isBinary: boolean): void {
    const charge = this.#lease.chargesRequests ? Charge.paid : this.charge(bytes.length, bytes, -1, -1);
    if (charge > 0) this.#spending.countRefused();
    else if (charge === Charge.paid && !this.#lease.send(bytes, isBinary)) this.fail('upstream-slow');
  }

  get isLimited(): boolean {
    return this.#spending.isLimited;
  }

  charge(bytes: number, buf: Uint8Array, methodStart: number, methodEnd: number): number {
    return this.#isCutShort ? Charge.notNow : this.#spending.charge(bytes, buf, methodStart, methodEnd);
  }

  chargeBatch(buf: Uint8Array, requests: readonly RequestRange[]): readonly number[] | undefined {
    return this.#isCutShort ? undefined : this.#spending.chargeBatch(buf, requests);
  }

  /** It is being ended from here; when it left by itself, what it said before still goes on. */
  get #isCutShort(): boolean {
    return this.#ending !== undefined && !this.#closed;
  }

  onCodecFault(fault: TranscoderFault): void {
    this.fail(fault);
  }

  deliver(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (this.#ending === undefined) this.#context.outbox.add(this, buf, start, end, isBinary);
  }

  deliverSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void {
    if (this.#ending !== undefined) return;
    this.#context.outbox.addSpliced(this, buf, start, cutStart, cutEnd, end, id, idStart, idEnd);
  }

  send(bytes: Uint8Array, isBinary: boolean): void {
    this.transmit(bytes, isBinary);
  }

  /** Hands one message to the socket; a client that reads too slowly is ended. */
  transmit(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#ending !== undefined || this.#closed) return;
    if (this.#transcoder === undefined) this.onEncoded(bytes, isBinary);
    else this.#transcoder.encode(bytes, isBinary);
  }

  onEncoded(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#ending !== undefined || this.#closed) return;
    if (this.#backlogged && this.#checkBacklog()) return;
    this.#context.metrics.sent(bytes.length);
    this.messagesSent++;
    this.bytesSent += bytes.length;
    this.#backlogged = this.#socket.send(bytes, isBinary) !== 1;
  }

  /** Sends what the outbox collected, several items in one write. */
  sendCollected(first: number, several: boolean): void {
    if (this.#ending !== undefined || this.#closed) return;
    this.#corkedFirst = first;
    if (several) this.#socket.cork(this.#sendCorked);
    else this.#sendCorked();
  }

  readonly #sendCorked = (): void => {
    this.#context.outbox.sendItems(this, this.#corkedFirst);
  };

  /** Ends a client that has too much unread; true when it was so. */
  #checkBacklog(): boolean {
    if (this.#socket.getBufferedAmount() <= this.#context.maxBackpressureBytes) return false;
    this.fail('slow-reader');
    return true;
  }

  /** Ends the client for a reason of the gateway's: counted, then closed with the code from the table. */
  fail(cause: Exclude<CloseCause, 'draining' | 'dismissed'>): void {
    const { code, reason } = closeTable[cause];
    if (!this.#endLater(code, reason)) return;
    this.#transcoder?.stopDecoding();
    const { metrics, errorIndex, log } = this.#context;
    metrics.error(errorIndex[cause]);
    log.debug({ client: this.id, requestId: this.requestId || undefined, cause, code }, 'client is closed');
  }

  /** Ends the client because the gateway stops. */
  drain(): void {
    this.#endLater(closeTable.draining.code, closeTable.draining.reason);
  }

  /** Ends the client because an operator wants it gone; that is no error. */
  dismiss(): void {
    const { code, reason } = closeTable.dismissed;
    if (this.#endLater(code, reason)) this.#transcoder?.stopDecoding();
  }

  /** What is due to it is still delivered; then its next message ends it, unless `drain` does before. */
  leaveWhenIdle(): void {
    this.#leaving = true;
    this.#lease.refuseNew();
  }

  /** What the upstream said before is sent first. */
  onUpstreamClose(code: number, reason: string): void {
    this.#flushOutbox();
    if (this.#transcoder === undefined) this.#followUpstream(code, reason);
    else this.#transcoder.afterEncoding(() => this.#followUpstream(code, reason));
  }

  unreadBytes(): number {
    if (this.#ending !== undefined || this.#closed) return 0;
    if (this.#transcoder?.encoding !== true) return this.#socket.getBufferedAmount();
    // How much it will be is not known; that it was packed is told by no drain.
    this.#transcoder.afterEncoding(() => this.onDrain());
    return Infinity;
  }

  endSlowReader(): void {
    this.fail('slow-reader');
  }

  /** The client has read some of what waited for it. */
  onDrain(): void {
    if (!this.#closed) this.#lease.onClientRead?.();
  }

  /** The engine has answered a ping; a client that pings and does not read must not fill memory with pongs. */
  onPing(): void {
    this.pingSentAtMs = 0;
    if (this.#ending === undefined && !this.#checkBacklog()) this.#spending.chargeControlFrame();
  }

  onPong(): void {
    this.#context.heartbeat.pong(this);
    if (!this.#pongDue && this.#ending === undefined) this.#spending.chargeControlFrame();
    this.#pongDue = false;
  }

  sendPing(): void {
    this.#pongDue = true;
    if (this.#ending === undefined) this.#socket.ping();
  }

  onHeartbeatLost(): void {
    const { metrics, errorIndex, log } = this.#context;
    metrics.error(errorIndex.heartbeat);
    log.debug(
      { client: this.id, requestId: this.requestId || undefined, cause: 'heartbeat' },
      'client is closed',
    );
    if (!this.#closed) this.#socket.close();
  }

  /** The engine closed the socket: whoever wanted it, this is where everything is given back, once. */
  onClosed(code: number, reason: string, onReleased = (): void => undefined): void {
    this.#closed = true;
    this.#ending ??= { code, reason };
    this.#context.heartbeat.remove(this);
    this.#context.metrics.connectionClosed();
    this.#context.log.debug({ client: this.id, requestId: this.requestId || undefined, code }, 'client left');
    this.#spending.stop();
    const release = (): void => {
      this.#spending.release();
      this.#lease.release(code, reason);
      onReleased();
    };
    if (this.#transcoder === undefined) return release();
    this.#transcoder.stopEncoding();
    // What the client said before it left still goes to its upstream.
    this.#transcoder.afterDecoding(release);
  }

  /** Called by the turn: the socket is never ended from inside a send, so that nothing is re-entered. */
  flush(): void {
    if (this.#closed || this.#ending === undefined) return;
    const { code, reason } = this.#ending;
    this.lingers = this.#socket.getBufferedAmount() > this.#context.maxBackpressureBytes / 2;
    if (code === 0) this.#socket.end();
    else this.#socket.end(code, reason);
  }

  #followUpstream(code: number, reason: string): void {
    if (code === 1005) this.#endLater(0, '');
    else if (isSendableCloseCode(code)) this.#endLater(code, reason);
    else this.fail('upstream-lost');
  }

  #flushOutbox(): void {
    if (this.#ending === undefined && this.outboxFirst >= 0) this.#context.outbox.flush();
  }

  /** False when it is ending already. What was collected goes first, and may itself find the client too slow. */
  #endLater(code: number, reason: string): boolean {
    this.#flushOutbox();
    if (this.#ending !== undefined || this.#closed) return false;
    this.#ending = { code, reason };
    this.#context.turn.schedule(this);
    return true;
  }
}
