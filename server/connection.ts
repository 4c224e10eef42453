import type { MessageCodec } from '../codec/message-codec.ts';
import {
  Transcoder,
  type TranscoderContext,
  type TranscoderFault,
  type TranscoderLimits,
  type TranscoderOwner,
} from '../codec/transcoder.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { ClientSide, Lease, Seat } from '../pool/client-side.ts';
import type { Flushable, Turn } from '../pool/turn.ts';
import { closeTable, isSendableCloseCode, type CloseCause, type ErrorType } from './close-codes.ts';
import type { HeartbeatPeer, HeartbeatWheel } from './heartbeat.ts';
import type { Outbox, OutboxClient } from './outbox.ts';

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
  readonly errorIndex: Readonly<Record<ErrorType, number>>;
  readonly outbox: Outbox;
  readonly turn: Turn;
  readonly heartbeat: HeartbeatWheel;
  readonly transcoding: TranscoderContext;
  readonly transcoderLimits: TranscoderLimits;
  readonly maxMessageBytes: number;
  readonly maxBackpressureBytes: number;
}

export interface ConnectionOptions {
  readonly socket: ClientSocket;
  readonly seat: Seat;
  readonly addressKey: string;
  /** What its messages are packed with; undefined for plain ones. */
  readonly codec: MessageCodec | undefined;
}

/** One client: its messages go to its lease, what comes back goes to its socket. */
export class Connection implements ClientSide, OutboxClient, HeartbeatPeer, TranscoderOwner, Flushable {
  /** Where the client's address is counted; see admission.ts. */
  readonly addressKey: string;
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
  #corkedFirst = -1;
  /** The reason to close, once there is one: nothing is sent to or taken from the client after it. */
  #ending: { code: number; reason: string } | undefined;
  #closed = false;
  /** The last message did not leave at once, so the next one has to look how much waits. */
  #backlogged = false;

  constructor(context: ConnectionContext, { socket, seat, addressKey, codec }: ConnectionOptions) {
    this.#context = context;
    this.#socket = socket;
    this.addressKey = addressKey;
    this.#transcoder = codec && new Transcoder(codec, context.transcoding, context.transcoderLimits, this);
    this.#lease = seat.attach(this);
    context.metrics.connectionOpened();
    context.heartbeat.add(this);
  }

  /** True while a reply is due or on its way. */
  get busy(): boolean {
    return this.#lease.busy || this.#transcoder?.busy === true;
  }

  /** A message arrived; its memory is only valid during the call. */
  onFrame(message: ArrayBuffer, isBinary: boolean): void {
    if (this.#ending !== undefined) return;
    const { metrics, maxMessageBytes } = this.#context;
    const bytes = new Uint8Array(message);
    metrics.received(bytes.length);
    this.pingSentAtMs = 0;
    // The flag byte that a codec adds comes on top.
    const flagBytes = this.#transcoder === undefined ? 0 : 1;
    if (bytes.length > maxMessageBytes + flagBytes) return this.fail('message-too-big');
    if (this.#transcoder === undefined) this.onDecoded(bytes, isBinary);
    else this.#transcoder.decode(bytes, isBinary);
  }

  onDecoded(bytes: Uint8Array, isBinary: boolean): void {
    if (!this.#lease.send(bytes, isBinary)) this.fail('upstream-slow');
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
  fail(cause: Exclude<CloseCause, 'draining'>): void {
    const { code, reason } = closeTable[cause];
    if (!this.#endLater(code, reason)) return;
    this.#transcoder?.stopDecoding();
    this.#context.metrics.error(this.#context.errorIndex[cause]);
  }

  /** Ends the client because the gateway stops. */
  drain(): void {
    this.#endLater(closeTable.draining.code, closeTable.draining.reason);
  }

  /** Requests are refused from now on; what is in flight is still answered. */
  refuseNew(): void {
    this.#lease.refuseNew();
  }

  /** What the upstream said before is sent first. */
  onUpstreamClose(code: number, reason: string): void {
    this.#flushOutbox();
    if (this.#transcoder === undefined) this.#followUpstream(code, reason);
    else this.#transcoder.afterEncoding(() => this.#followUpstream(code, reason));
  }

  /** The engine has answered a ping; a client that pings and does not read must not fill memory with pongs. */
  onPing(): void {
    this.pingSentAtMs = 0;
    if (this.#ending === undefined) this.#checkBacklog();
  }

  onPong(): void {
    this.#context.heartbeat.pong(this);
  }

  sendPing(): void {
    if (this.#ending === undefined) this.#socket.ping();
  }

  onHeartbeatLost(): void {
    this.#context.metrics.error(this.#context.errorIndex.heartbeat);
    if (!this.#closed) this.#socket.close();
  }

  /** The engine closed the socket: whoever wanted it, this is where everything is given back, once. */
  onClosed(code: number, reason: string, onReleased = (): void => undefined): void {
    this.#closed = true;
    this.#ending ??= { code, reason };
    this.#context.heartbeat.remove(this);
    this.#context.metrics.connectionClosed();
    const release = (): void => {
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
