import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Flushable, Turn } from '../../turn.ts';
import { isValidUtf8 } from '../../wire/utf8.ts';
import { MuxFrameReader, type MuxFrameHandler } from '../frame-reader.ts';
import { MuxFrameWriter } from '../frame-writer.ts';
import { clientRequest } from './client-request.ts';
import { ClientStream, type StreamOwner } from './client-stream.ts';
import { parseOpen } from './open-request.ts';
import type { ServerOutput } from './server-output.ts';

/** What a `WebSocket` of the package `ws` is used for. */
export interface CarrierSocket {
  readonly bufferedAmount: number;
  send(data: Uint8Array, options: { binary: boolean }, done: () => void): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

/** Serves the upgrade of a client, as a listener of 'upgrade' does. */
export type ServeUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface GatewayConnectionOptions {
  readonly socket: CarrierSocket;
  readonly isSecure: boolean;
  /** Bytes that each client may send before the server has read them. */
  readonly windowBytes: number;
  readonly maxClients: number;
  readonly turn: Turn;
  readonly serve: ServeUpgrade;
  readonly onServerError: (error: unknown) => void;
}

/** Messages to clients wait while so much of the connection is not written yet. */
const congestedBytes = 1_048_576;
/** What needs no credit does not wait; a gateway that asks for ever more of it and reads nothing is cut off. */
const maxUnreadBytes = 16 * 1_048_576;
const NONE = Buffer.alloc(0);

/** A connection from a gateway, with all its clients (docs/mux-protocol.md). */
export class GatewayConnection implements MuxFrameHandler, StreamOwner, Flushable {
  readonly #socket: CarrierSocket;
  readonly #options: GatewayConnectionOptions;
  readonly #reader = new MuxFrameReader({ handler: this, from: 'gateway' });
  readonly #writer = new MuxFrameWriter();
  readonly #streams = new Map<number, ClientStream>();
  readonly #waiting = new Set<ServerOutput>();
  #lastStream = 0;
  #scheduled = false;
  #ended = false;
  /** Since the last look, and whether that look led to a question. */
  #heard = true;
  #asked = false;

  constructor(options: GatewayConnectionOptions) {
    this.#socket = options.socket;
    this.#options = options;
    const { socket } = options;
    socket.on('message', (data, isBinary) => {
      this.#heard = true;
      this.#reader.push(data, 0, data.length, isBinary);
    });
    socket.on('close', () => this.#end());
    socket.on('error', () => undefined);
  }

  get congested(): boolean {
    return this.#socket.bufferedAmount + this.#writer.length > congestedBytes;
  }

  /** Asks the gateway for no more clients. */
  goAway(): void {
    this.frames().goAway();
  }

  /** To be called at an interval: asks a silent gateway for a sign of life, and cuts off one that gives none. */
  checkLife(): void {
    const isDead = !this.#heard && this.#asked;
    this.#asked = !this.#heard;
    this.#heard = false;
    if (isDead) this.#socket.terminate();
    else if (this.#asked) this.frames().ping(0, NONE, 0, 0);
  }

  onOpen(id: number, buf: Uint8Array, start: number, end: number): void {
    if (id <= this.#lastStream) return this.#breach('an OPEN whose stream is not new');
    const open = isValidUtf8(buf, start, end)
      ? parseOpen(Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString())
      : undefined;
    if (open === undefined) return this.#breach('an OPEN that is not as specified');
    this.#lastStream = id;
    const { windowBytes, maxClients, isSecure, serve } = this.#options;
    if (this.#streams.size >= maxClients) return this.frames().refuse(id, 503, 'Too many clients');
    const stream = new ClientStream({ id, open, window: windowBytes, isSecure, owner: this });
    this.#streams.set(id, stream);
    try {
      serve(clientRequest(open, stream.socket), stream.socket, NONE);
    } catch (error) {
      this.onServerError(error);
      stream.onNotServed();
    }
  }

  onData(id: number, buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): void {
    if (this.#find(id)?.onData(buf, start, end, isBinary, isLast) === false)
      this.#breach('DATA that may not be sent');
  }

  onWindow(id: number, credit: number): void {
    if (this.#find(id)?.onWindow(credit) === false) this.#breach('a WINDOW that is too large');
  }

  onClose(id: number, code: number, reason: string): void {
    this.#find(id)?.onClose(code, reason);
  }

  onPing(id: number, buf: Uint8Array, start: number, end: number): void {
    if (id === 0) this.frames().pong(0, buf, start, end);
    else this.#find(id)?.onPing(buf, start, end);
  }

  onPong(id: number, buf: Uint8Array, start: number, end: number): void {
    if (id !== 0) this.#find(id)?.onPong(buf, start, end);
  }

  onBreach(problem: string): void {
    this.#socket.close(1002, problem);
    this.#end();
  }

  onAccept(): void {
    throw new Error('bug: ACCEPT from a gateway');
  }

  onRefuse(): void {
    throw new Error('bug: REFUSE from a gateway');
  }

  onGoAway(): void {
    throw new Error('bug: GOAWAY from a gateway');
  }

  frames(): MuxFrameWriter {
    if (this.#writer.full) this.#send();
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#options.turn.schedule(this);
    }
    return this.#writer;
  }

  flush(): void {
    this.#scheduled = false;
    this.#send();
  }

  waitForRoom(output: ServerOutput): void {
    this.#waiting.add(output);
  }

  onStreamOver(id: number): void {
    this.#streams.delete(id);
  }

  onServerError(error: unknown): void {
    this.#options.onServerError(error);
  }

  #send(): void {
    const bytes = this.#writer.take();
    if (this.#ended || bytes.length === 0) return;
    // A copy, for the socket may keep it for long.
    this.#socket.send(Buffer.from(bytes), { binary: true }, this.#onSent);
    if (this.#socket.bufferedAmount > maxUnreadBytes) this.#socket.terminate();
  }

  readonly #onSent = (): void => {
    if (this.#waiting.size === 0) return;
    for (const output of [...this.#waiting]) {
      if (this.congested) return;
      this.#waiting.delete(output);
      output.resume();
    }
  };

  /** The stream, undefined when it is over. One that there never was is a breach. */
  #find(id: number): ClientStream | undefined {
    if (id > this.#lastStream) this.#breach('a frame on a stream that was never opened');
    return this.#streams.get(id);
  }

  #breach(problem: string): void {
    this.#reader.stop();
    this.onBreach(problem);
  }

  #end(): void {
    this.#ended = true;
    this.#reader.stop();
    for (const stream of this.#streams.values()) stream.onLost();
    this.#streams.clear();
    this.#waiting.clear();
  }
}
