import type { Socket } from 'node:net';
import type { Flushable, Turn } from './turn.ts';
import type { BufferPool } from './wire/buffer-pool.ts';
import { FrameReader, type FrameHandler } from './wire/reader.ts';
import { FrameWriter } from './wire/writer.ts';

/** Who gets what an upstream connection receives. */
export interface UpstreamOwner {
  /** The bytes are valid only during the call. */
  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void;
  /** Called once, when the connection is of no more use; the code is 1006 when it ended without a close frame. */
  onUpstreamGone(code: number, reason: string): void;
  /** Bytes were written after `congested` was true. */
  onUpstreamWritable(): void;
}

/** An open connection to an upstream, whose messages may be packed on the way. */
export interface UpstreamConnection {
  readonly label: string;
  /** The subprotocol the upstream chose, or ''. */
  readonly protocol: string;
  owner: UpstreamOwner | undefined;
  /** Open and not closing: messages given to it will be sent. */
  readonly usable: boolean;
  /** More is waiting than allowed, to be packed or to be written; its owner should not add to it. */
  readonly congested: boolean;
  /** More is waiting to be written than allowed, for the upstream reads too slowly. */
  readonly stalled: boolean;
  /** Messages are being packed or unpacked. */
  readonly transcoding: boolean;
  /** Bytes collected and not written; 0 when there are none. */
  readonly pendingBytes: number;
  /** Grows with whatever comes from the upstream. */
  readonly heard: number;
  /** Sends one message at the end of this turn. */
  send(buf: Uint8Array, start: number, end: number, isBinary: boolean): void;
  /** Sends one text message in which the bytes from cutStart to cutEnd are replaced by the digits of id. */
  sendSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: number,
  ): void;
  /** Asks for a pong, which grows `heard`. */
  ping(): void;
  /** Visits the messages that were provably never written, oldest first. */
  unsent(visit: (buf: Uint8Array, start: number, end: number, isBinary: boolean) => void): void;
  /** Says goodbye with a close frame; the owner hears nothing more. Code 1005 sends an empty close frame. */
  close(code: number, reason: string): void;
  /** Cuts the connection without a close frame; the owner hears nothing more. */
  destroy(): void;
}

/** Pings its peers and reports the dead ones; see server/heartbeat.ts. */
export interface Heartbeat {
  add(peer: HeartbeatPeer): void;
  remove(peer: HeartbeatPeer): void;
  pong(peer: HeartbeatPeer): void;
}

export interface HeartbeatPeer {
  heartbeatSlot: number;
  heartbeatIndex: number;
  pingSentAtMs: number;
  sendPing(): void;
  onHeartbeatLost(): void;
}

export interface UpstreamOptions {
  readonly socket: Socket;
  readonly label: string;
  readonly protocol: string;
  readonly trusted: boolean;
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
  readonly maxBufferedBytes: number;
  readonly turn: Turn;
  readonly buffers: BufferPool;
  readonly heartbeat: Heartbeat;
}

/** From here on a longer write saves nothing, and a larger buffer would leave the processor's cache. */
const writeThresholdBytes = 65_536;
const closeTimeoutMs = 2_000;

/**
 * One open upstream connection. Frames are collected in one buffer that is written once per event-loop turn, and not
 * before the previous write has left; what is still collected was provably never written.
 */
export class Upstream implements UpstreamConnection, FrameHandler, HeartbeatPeer, Flushable {
  readonly label: string;
  readonly protocol: string;
  owner: UpstreamOwner | undefined;
  heartbeatSlot = -1;
  heartbeatIndex = -1;
  pingSentAtMs = 0;
  heard = 0;

  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #writer: FrameWriter;
  readonly #maxBufferedBytes: number;
  readonly #turn: Turn;
  readonly #heartbeat: Heartbeat;
  #inFlightWrite: Uint8Array<ArrayBuffer> | undefined;
  /** Writes whose callback has not run yet. */
  #writes = 0;
  #scheduled = false;
  #congested = false;
  #closing = false;
  #gone = false;
  #closeTimer: NodeJS.Timeout | undefined;

  constructor(options: UpstreamOptions) {
    this.label = options.label;
    this.protocol = options.protocol;
    this.#socket = options.socket;
    this.#maxBufferedBytes = options.maxBufferedBytes;
    this.#turn = options.turn;
    this.#heartbeat = options.heartbeat;
    this.#reader = new FrameReader({
      handler: this,
      maxMessageBytes: options.maxMessageBytes,
      maxFragments: options.maxFragments,
    });
    this.#writer = new FrameWriter({ buffers: options.buffers, trusted: options.trusted });
    this.#heartbeat.add(this);
  }

  get usable(): boolean {
    return !this.#closing;
  }

  get congested(): boolean {
    return this.#congested;
  }

  get stalled(): boolean {
    return this.#congested;
  }

  get transcoding(): boolean {
    return false;
  }

  get pendingBytes(): number {
    return this.#writer.length;
  }

  send(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#writer.message(buf, start, end, isBinary);
    this.#afterWrite();
  }

  sendSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: number,
  ): void {
    this.#writer.spliced(buf, start, cutStart, cutEnd, end, id);
    this.#afterWrite();
  }

  unsent(visit: (buf: Uint8Array, start: number, end: number, isBinary: boolean) => void): void {
    this.#writer.unsent(visit);
  }

  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#stop();
    this.#writer.close(code, reason);
    this.#flushThenEnd();
  }

  destroy(): void {
    this.#stop();
    this.#socket.destroy();
  }

  /** Reads nothing more, apart from what has been read already, until `resume`. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Feeds bytes that arrived from the network. */
  push(buf: Uint8Array, start: number, end: number): void {
    this.pingSentAtMs = 0;
    this.heard++;
    this.#reader.push(buf, start, end);
  }

  /** The socket is closed: whoever closed it, nothing more will come. */
  onSocketClosed(): void {
    clearTimeout(this.#closeTimer);
    this.#lost(1006, '');
    this.#writer.clear();
  }

  onMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.owner?.onUpstreamMessage(buf, start, end, isBinary);
  }

  onPing(buf: Uint8Array, start: number, end: number): void {
    // RFC 6455 section 5.5.3 lets pongs be left out; an upstream that pings and does not read gets none.
    if (this.#congested) return;
    this.#writer.pong(buf, start, end);
    this.#afterWrite();
  }

  onPong(): void {
    this.#heartbeat.pong(this);
  }

  onClose(code: number, reason: string): void {
    if (this.#closing) return;
    this.#lost(code, reason);
    this.#writer.clear();
    this.#writer.close(code, '');
    this.#flushThenEnd();
  }

  onFault(code: number, message: string): void {
    this.#lost(1006, '');
    this.#writer.clear();
    this.#writer.close(code, message);
    this.#flushThenEnd();
  }

  ping(): void {
    if (this.usable) this.sendPing();
  }

  sendPing(): void {
    this.#writer.ping();
    this.#afterWrite();
  }

  onHeartbeatLost(): void {
    this.#lost(1006, '');
    this.#socket.destroy();
  }

  /** Called by the turn: one write for everything collected. */
  flush(): void {
    this.#scheduled = false;
    this.#write();
  }

  #write(): void {
    if (this.#inFlightWrite !== undefined || this.#socket.destroyed) return;
    const bytes = this.#writer.take();
    if (bytes === undefined) return;
    this.#writes++;
    this.#socket.write(bytes, this.#onWritten);
    // Mostly the kernel has taken it all already, and the block can be used again in this very turn.
    if (this.#socket.writableLength === 0) this.#writer.recycle(bytes);
    else this.#inFlightWrite = bytes;
  }

  readonly #onWritten = (): void => {
    // Of several writes whose callbacks are due only the last can have been kept waiting.
    if (--this.#writes > 0) return;
    const written = this.#inFlightWrite;
    this.#inFlightWrite = undefined;
    if (written !== undefined) this.#writer.recycle(written);
    if (this.#writer.length > 0) this.#write();
    else if (this.#closing) this.#socket.end();
    if (!this.#congested || this.#writer.length > this.#maxBufferedBytes / 2) return;
    this.#congested = false;
    if (!this.#closing) this.owner?.onUpstreamWritable();
  };

  #afterWrite(): void {
    if (this.#writer.length >= Math.min(writeThresholdBytes, this.#maxBufferedBytes)) {
      // More than is worth collecting; congested when the socket does not take it either.
      this.#write();
      this.#congested = this.#writer.length > this.#maxBufferedBytes;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.schedule(this);
  }

  /** Ends this connection's use: its owner is told once, unless the owner itself closed it. */
  #lost(code: number, reason: string): void {
    if (this.#gone) return;
    const owner = this.#closing ? undefined : this.owner;
    this.#stop();
    owner?.onUpstreamGone(code, reason);
  }

  #stop(): void {
    this.#gone = true;
    this.#closing = true;
    this.#heartbeat.remove(this);
    this.#reader.stop();
  }

  /** Writes what is collected and closes the socket, by force when the peer does not follow in time. */
  #flushThenEnd(): void {
    this.#write();
    if (this.#writer.length === 0) this.#socket.end();
    this.#closeTimer = setTimeout(() => this.#socket.destroy(), closeTimeoutMs);
  }
}
