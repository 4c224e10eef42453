import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { kinds } from '../result/failure-kinds.ts';
import { ConnectionFault, faultKind } from './connection-fault.ts';
import { shown } from './shown.ts';

const httpStart = 'HTTP/1.';
const statusLine = /^HTTP\/1\.\d (\d{3})\b/;
const switching = '101';
const switched = `HTTP/1.1 ${switching}`;
const headEnd = '\r\n\r\n';
const mostHeadBytes = 16_384;
const upgrade = /^upgrade: *websocket *$/im;
const unaskedExtension = /^sec-websocket-(extensions|protocol):/im;
const handshakeKey = 'dGhlIHNhbXBsZSBub25jZQ==';
const handshakeAccept = createHash('sha1')
  .update(`${handshakeKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');

export interface RawConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** What the Host header says; by default the address. */
  readonly hostHeader?: string | undefined;
  /** The address to connect from, where one has not ports enough for all clients. */
  readonly localAddress?: string | undefined;
  /** More lines of the request, and what the answer's head must have. */
  readonly extension?: { readonly offer: string; readonly accepted: RegExp };
  /** Receive memory that all connections of the process may share: it is read before the next read. */
  readonly readBuffer: Buffer;
  readonly onOpen: () => void;
  /** Received frames, in pieces; may throw. The memory is only lent. */
  readonly onBytes: (chunk: Buffer, length: number) => void;
  /** Called once, when the connection is over unasked; `kind` is of a bounded set. */
  readonly onFault: (reason: string, kind: string) => void;
}

/** A WebSocket connection as bare bytes. */
export class RawConnection {
  readonly #options: RawConnectionOptions;
  readonly #socket: Socket;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #handshake = '';
  /** What the kernel calls it; -1 where that cannot be known. */
  #fd = -1;

  constructor(options: RawConnectionOptions) {
    this.#options = options;
    this.#socket = connect({
      host: options.host,
      port: options.port,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
      noDelay: true,
      onread: {
        buffer: options.readBuffer,
        callback: (length, chunk) => this.#onChunk(length, chunk as Buffer),
      },
    });
    this.#socket.on('connect', () => {
      this.#fd = (this.#socket as { _handle?: { fd?: number } })._handle?.fd ?? -1;
      this.#socket.write(handshakeRequest(options));
    });
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () =>
      this.#fail(new ConnectionFault(kinds.cutOff, 'the connection was closed')),
    );
  }

  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  /**
   * Hands a frame to the kernel at once, past the stream, which takes half the time and leaves the memory to be used again. Returns false, and
   * has written nothing, when the server reads too slowly or the connection is over.
   */
  tryWrite(frame: Buffer): boolean {
    if (this.#socket.destroyed || this.#socket.writableLength > 0) return false;
    if (this.#fd < 0) {
      this.#socket.write(Buffer.from(frame));
      return true;
    }
    try {
      const written = writeSync(this.#fd, frame, 0, frame.length);
      if (written < frame.length) this.#socket.write(Buffer.from(frame.subarray(written)));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') this.#fail(error as Error);
      return false;
    }
  }

  writePong(payload: Buffer): void {
    this.#socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
  }

  /** Drops the connection; nothing is reported any more. */
  close(): void {
    this.#state = 'over';
    this.#socket.destroy();
  }

  #onChunk(length: number, chunk: Buffer): boolean {
    try {
      if (this.#state === 'open') this.#options.onBytes(chunk, length);
      else if (this.#state === 'opening') this.#onHandshake(chunk.subarray(0, length));
    } catch (error) {
      this.#fail(error as Error);
    }
    return true;
  }

  #onHandshake(chunk: Buffer): void {
    this.#handshake += chunk.toString('latin1');
    const end = this.#handshake.indexOf(headEnd);
    const headBytes = end < 0 ? this.#handshake.length : end;
    if (!httpStart.startsWith(this.#handshake.slice(0, httpStart.length)))
      throw new ConnectionFault(kinds.handshakeGarbage, `it answers no HTTP: ${shown(this.#handshake)}`);
    if (headBytes > mostHeadBytes)
      throw new ConnectionFault(
        kinds.handshakeGarbage,
        `its answer to the handshake has over ${mostHeadBytes} bytes: ${shown(this.#handshake)}`,
      );
    if (end < 0) return;
    const head = this.#handshake.slice(0, end);
    const status = statusLine.exec(head)?.[1];
    if (status !== undefined && status !== switching)
      throw new ConnectionFault(
        kinds.status(Number(status)),
        `the handshake was refused: ${shown(this.#handshake)}`,
      );
    const speaksOther = this.#options.extension === undefined && unaskedExtension.test(head);
    if (!head.startsWith(switched) || !head.includes(handshakeAccept) || !upgrade.test(head) || speaksOther)
      throw new ConnectionFault(kinds.handshakeGarbage, `it answers another handshake: ${shown(head)}`);
    const wanted = this.#options.extension?.accepted;
    if (wanted && !wanted.test(head)) throw new Error(`the answer lacks ${wanted.source}: ${head}`);
    const rest = Buffer.from(this.#handshake.slice(end + headEnd.length), 'latin1');
    this.#state = 'open';
    this.#options.onOpen();
    // A server may ping at once.
    if (rest.length > 0) this.#options.onBytes(rest, rest.length);
  }

  #fail(error: Error): void {
    if (this.#state === 'over') return;
    this.close();
    this.#options.onFault(error.message, faultKind(error));
  }
}

function handshakeRequest({ host, port, path, hostHeader, extension }: RawConnectionOptions): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${hostHeader ?? `${host}:${port}`}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${handshakeKey}`,
    ...(extension?.offer ? [extension.offer] : []),
    '\r\n',
  ].join('\r\n');
}
