import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { ReplyChecker } from './reply-checker.ts';
import { addToCounter, batchOf, scriptFor } from './script.ts';
import type { Line, Protocol } from './script.ts';

const headEnd = '\r\n\r\n';
const handshakeKey = 'dGhlIHNhbXBsZSBub25jZQ==';
const handshakeAccept = createHash('sha1')
  .update(`${handshakeKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
  .digest('base64');

export interface LoadClientOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly protocol: Protocol;
  readonly number: number;
  readonly depth: number;
  /** Receive memory that all clients of the process may share: it is read before the next read. */
  readonly readBuffer: Buffer;
  readonly onOpen: () => void;
  /** `replies` came in at `nowMs`, `waitedMs` after their batch was written; return true to go on. */
  readonly onReplies: (replies: number, waitedMs: number, nowMs: number) => boolean;
  readonly onFault: (reason: string) => void;
}

/** One closed-loop client: writes `depth` requests as one buffer, and the next ones when all are answered. */
export class LoadClient {
  readonly #options: LoadClientOptions;
  readonly #socket: Socket;
  readonly #line: Line;
  readonly #batch: Buffer;
  readonly #checker: ReplyChecker;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #handshake = '';
  #sentAtMs = 0;
  #inFlight = 0;

  constructor(options: LoadClientOptions) {
    const script = scriptFor(options.protocol, options.number);
    this.#options = options;
    this.#line = script.request;
    this.#batch = batchOf(script.request, options.depth);
    this.#checker = new ReplyChecker({
      reply: script.reply,
      depth: options.depth,
      onPing: (payload) => this.#socket.write(pongFrame(payload)),
    });
    this.#socket = connect({
      host: options.host,
      port: options.port,
      noDelay: true,
      onread: {
        buffer: options.readBuffer,
        callback: (length, chunk) => this.#onChunk(length, chunk as Buffer),
      },
    });
    this.#socket.on('connect', () => this.#socket.write(handshakeRequest(options)));
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the connection was closed'));
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Writes one batch. */
  send(nowMs: number): void {
    this.#sentAtMs = nowMs;
    this.#inFlight = this.#options.depth;
    this.#socket.write(this.#batch);
  }

  /** Drops the connection; nothing is reported any more. */
  close(): void {
    this.#state = 'over';
    this.#socket.destroy();
  }

  #onChunk(length: number, chunk: Buffer): boolean {
    try {
      if (this.#state === 'open') this.#onReplies(length, chunk);
      else if (this.#state === 'opening') this.#onHandshake(chunk.subarray(0, length));
    } catch (error) {
      this.#fail((error as Error).message);
    }
    return true;
  }

  #onReplies(length: number, chunk: Buffer): void {
    const replies = this.#checker.take(chunk, length);
    if (replies === 0) return;
    if (replies > this.#inFlight) throw new Error('a reply came before its request');
    const nowMs = performance.now();
    this.#inFlight -= replies;
    const goOn = this.#options.onReplies(replies, nowMs - this.#sentAtMs, nowMs);
    if (this.#inFlight > 0) return;
    this.#checker.next();
    if (!goOn) return;
    const { depth } = this.#options;
    const size = this.#line.frame.length;
    for (let i = 0; i < depth; i++) addToCounter(this.#batch, i * size + this.#line.counterAt, depth);
    this.send(nowMs);
  }

  #onHandshake(chunk: Buffer): void {
    this.#handshake += chunk.toString('latin1');
    const end = this.#handshake.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#handshake.slice(0, end);
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(handshakeAccept)) {
      throw new Error(`the handshake was refused: ${head.slice(0, 200)}`);
    }
    const rest = Buffer.from(this.#handshake.slice(end + headEnd.length), 'latin1');
    this.#state = 'open';
    this.#options.onOpen();
    // A server may ping at once.
    if (rest.length > 0) this.#onReplies(rest.length, rest);
  }

  #fail(reason: string): void {
    if (this.#state === 'over') return;
    this.close();
    this.#options.onFault(`client ${this.#options.number}: ${reason}`);
  }
}

function handshakeRequest({ host, port, path }: LoadClientOptions): string {
  return [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${handshakeKey}`,
    '\r\n',
  ].join('\r\n');
}

function pongFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
