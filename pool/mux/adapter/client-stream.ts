import { Duplex } from 'node:stream';
import { Opcode } from '../../wire/opcode.ts';
import { dataCost, VANISHED_CODE } from '../frames.ts';
import { clientCloseFrame, clientFrame } from './client-frames.ts';
import type { OpenRequest } from './open-request.ts';
import { ReadCredit } from './read-credit.ts';
import type { ServerResponse } from './response-head.ts';
import { ServerOutput, type SharedWay } from './server-output.ts';
import { asTcpSocket } from './tcp-socket.ts';

/** What a stream needs of the connection that carries it. */
export interface StreamOwner extends SharedWay {
  /** The stream is over for both sides. */
  onStreamOver(id: number): void;
  /** The server threw, which is nobody else's matter. */
  onServerError(error: unknown): void;
}

export interface ClientStreamOptions {
  readonly id: number;
  readonly open: OpenRequest;
  /** Bytes that the client may send at first. */
  readonly window: number;
  readonly isSecure: boolean;
  readonly owner: StreamOwner;
}

/**
 * One client inside of a connection from a gateway. To the WebSocket server it is a TCP socket on which a client speaks
 * RFC 6455; to the gateway it is a stream of docs/mux-protocol.md.
 */
export class ClientStream {
  readonly socket: Duplex;
  readonly #id: number;
  readonly #owner: StreamOwner;
  readonly #window: number;
  readonly #output: ServerOutput;
  readonly #unread: ReadCredit;
  #accepted = false;
  #closeSent = false;
  #over = false;
  #readableEnded = false;
  /** Of the client's message that is not complete. */
  #inParts = false;
  #partsAreBinary = false;

  constructor({ id, open, window, isSecure, owner }: ClientStreamOptions) {
    this.#id = id;
    this.#owner = owner;
    this.#window = window;
    this.#output = new ServerOutput({
      id,
      credit: open.window,
      way: owner,
      onResponse: (response) => this.#onResponse(response),
      onClose: (code, reason) => this.#sendClose(code, reason),
    });
    this.socket = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, done) => this.#output.write(chunk, done),
      final: (done) => this.#onServerEnd(done),
      destroy: (error, done) => {
        this.#output.stop(error ?? new Error('the client is gone'));
        this.#leave(VANISHED_CODE, '');
        done(error);
      },
    });
    // Whoever has the socket hears of it by 'close' at the latest.
    this.socket.on('error', () => undefined);
    asTcpSocket(this.socket, open.address, isSecure);
    this.#unread = new ReadCredit(this.socket, window, (credit) => this.#giveBack(credit));
  }

  /** A part of a message of the client; false when the gateway may not send it. */
  onData(buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): boolean {
    const cost = dataCost(end - start);
    if (!this.#accepted || !this.#unread.covers(cost)) return false;
    if (this.#inParts && isBinary !== this.#partsAreBinary) return false;
    const opcode = this.#inParts ? Opcode.Continuation : isBinary ? Opcode.Binary : Opcode.Text;
    this.#inParts = !isLast;
    this.#partsAreBinary = isBinary;
    if (!this.#closeSent) this.#push(clientFrame(opcode, isLast, buf, start, end), cost);
    return true;
  }

  /** The client's goodbye, or the answer to ours. */
  onClose(code: number, reason: string): void {
    if (this.#accepted && code !== VANISHED_CODE) {
      this.#push(clientCloseFrame(code, reason));
      this.#leave(code, reason);
      return;
    }
    if (!this.#accepted) {
      this.#sendClose(code, reason);
      this.#end();
    }
    this.socket.destroy();
  }

  /** More credit with the client; false when it is too much. */
  onWindow(credit: number): boolean {
    return this.#output.addCredit(credit);
  }

  onPing(buf: Uint8Array, start: number, end: number): void {
    // The server answers by itself, unless it is behind: then pings would pile up.
    const isBehind = !this.#accepted || this.socket.readableLength > 0 || this.socket.writableLength > 0;
    if (isBehind) this.#owner.frames().pong(this.#id, buf, start, end);
    else this.#push(clientFrame(Opcode.Ping, true, buf, start, end));
  }

  onPong(buf: Uint8Array, start: number, end: number): void {
    if (this.#output.expectsPong()) this.#push(clientFrame(Opcode.Pong, true, buf, start, end));
  }

  /** The connection to the gateway is lost. */
  onLost(): void {
    this.#over = true;
    this.socket.destroy();
  }

  /** The server has thrown instead of answering the handshake. */
  onNotServed(): void {
    if (this.#accepted || this.#over) return;
    this.#refuse(500, 'Internal Server Error');
    this.socket.destroy();
  }

  #push(frame: Buffer, cost = 0): void {
    if (this.#readableEnded || this.socket.destroyed) return;
    try {
      this.socket.push(frame);
    } catch (error) {
      this.#owner.onServerError(error);
    }
    this.#unread.onPushed(cost, frame.length);
  }

  #giveBack(credit: number): void {
    if (!this.#closeSent) this.#owner.frames().window(this.#id, credit);
  }

  /** Answers the OPEN, as soon as the server has answered the handshake. */
  #onResponse({ status, reason, protocol }: ServerResponse): void {
    if (status !== 101) return this.#refuse(status, reason);
    this.#accepted = true;
    this.#owner.frames().accept(this.#id, this.#window, protocol);
  }

  #onServerEnd(done: () => void): void {
    if (!this.#closeSent) this.#leave(VANISHED_CODE, '');
    done();
    this.#readableEnded = true;
    this.socket.push(null);
  }

  /** Says goodbye, unless that was said before, and is done with the stream. */
  #leave(code: number, reason: string): void {
    if (this.#over) return;
    if (!this.#accepted) return this.#refuse(503, 'Service Unavailable');
    this.#sendClose(code, reason);
    this.#end();
  }

  #refuse(status: number, reason: string): void {
    this.#owner.frames().refuse(this.#id, status, reason);
    this.#end();
  }

  #sendClose(code: number, reason: string): void {
    if (this.#closeSent || this.#over) return;
    this.#closeSent = true;
    this.#owner.frames().close(this.#id, code, reason);
    // Whatever the server says after its goodbye, nobody hears it.
    this.#output.stop();
  }

  #end(): void {
    this.#over = true;
    this.#output.stop();
    this.#owner.onStreamOver(this.#id);
  }
}
