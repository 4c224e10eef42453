import type { Socket } from 'node:net';
import { frameAt, payloadOf } from '../../loadtest/loader/server-frame.ts';
import { clientFrame, OPCODE, upgradeRequest } from './raw-client.ts';

/** What a returning client tells of. */
export interface ReturningClientOptions {
  /** Begins a TCP or TLS connection. */
  readonly connect: () => Socket;
  readonly path: string;
  /** About how long it rests after a reply before it asks again; `Infinity`: it only stays. */
  readonly pauseMs: number;
  readonly name: string;
  readonly onOpen: () => void;
  readonly onReply: (waitedMs: number) => void;
  /** An open connection has ended; 1006 is no close frame. It comes back at once. */
  readonly onClosed: (code: number) => void;
  /** A connection was not opened. It tries again at once. */
  readonly onRefused: (why: string) => void;
  /** Something came that nobody asked for. */
  readonly onFault: (what: string) => void;
}

/**
 * A client as bare bytes that asks one thing after the other, and whenever it is sent away connects again at once
 * and asks what has no reply yet once more.
 */
export class ReturningClient {
  readonly #options: ReturningClientOptions;
  #socket: Socket | undefined;
  #received: Buffer = Buffer.alloc(0);
  #isOpen = false;
  #closeCode = 1006;
  #leaving = false;
  #lastId = 0;
  #askedAtMs = 0;
  #awaitsReply = false;

  constructor(options: ReturningClientOptions) {
    this.#options = options;
    this.#connect();
  }

  get awaitsReply(): boolean {
    return this.#awaitsReply;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Asks nothing new and does not come back. */
  leave(): void {
    this.#leaving = true;
  }

  cut(): void {
    this.#leaving = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    this.#received = Buffer.alloc(0);
    this.#isOpen = false;
    this.#closeCode = 1006;
    const socket = this.#options.connect();
    this.#socket = socket;
    let why = 'the connection ended before an answer';
    socket.on('error', (fault) => (why = fault.message));
    socket.on('data', (chunk) => this.#onBytes(chunk));
    socket.once('close', () => this.#onEnd(why));
    socket.setNoDelay(true);
    socket.write(upgradeRequest(0, { path: this.#options.path }));
  }

  #onEnd(why: string): void {
    const wasOpen = this.#isOpen;
    this.#isOpen = false;
    if (wasOpen) this.#options.onClosed(this.#closeCode);
    else if (!this.#leaving) this.#options.onRefused(why);
    if (!this.#leaving) this.#connect();
  }

  #onBytes(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (!this.#isOpen && !this.#takeAnswer()) return;
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) this.#onFrame(frame);
  }

  #takeAnswer(): boolean {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const status = this.#received.toString('latin1', 0, this.#received.indexOf('\r\n'));
    if (!status.startsWith('HTTP/1.1 101 ')) {
      this.#socket!.destroy(new Error(status));
      return false;
    }
    this.#received = this.#received.subarray(end + 4);
    this.#isOpen = true;
    this.#options.onOpen();
    if (this.#awaitsReply) this.#ask();
    else this.#askLater();
    return true;
  }

  #takeFrame(): Buffer | undefined {
    const frame = frameAt(this.#received);
    if (frame !== undefined) this.#received = this.#received.subarray(frame.length);
    return frame;
  }

  #onFrame(frame: Buffer): void {
    const opcode = frame[0]! & 0x0f;
    const payload = payloadOf(frame);
    const socket = this.#socket!;
    if (opcode === OPCODE.ping) socket.write(clientFrame(payload, { opcode: OPCODE.pong }));
    else if (opcode === OPCODE.close) {
      this.#closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
      socket.end(clientFrame(payload, { opcode: OPCODE.close }));
    } else if (this.#awaitsReply && this.#isReply(payload.toString())) this.#onReply();
    else this.#options.onFault(`${this.#word}: ${payload.toString()}`);
  }

  #onReply(): void {
    this.#awaitsReply = false;
    this.#options.onReply(performance.now() - this.#askedAtMs);
    this.#askLater();
  }

  #askLater(): void {
    const { pauseMs } = this.#options;
    const socket = this.#socket;
    if (pauseMs === Infinity) return;
    setTimeout(
      () => {
        if (this.#leaving || this.#awaitsReply || socket !== this.#socket) return;
        this.#lastId++;
        this.#awaitsReply = true;
        this.#askedAtMs = performance.now();
        this.#ask();
      },
      pauseMs * (0.5 + Math.random()),
    );
  }

  #ask(): void {
    const request = { jsonrpc: '2.0', id: this.#lastId, method: 'echo', params: this.#word };
    if (this.#isOpen) this.#socket!.write(clientFrame(JSON.stringify(request)));
  }

  #isReply(text: string): boolean {
    const reply = JSON.parse(text) as { id?: unknown; result?: unknown };
    return reply.id === this.#lastId && reply.result === this.#word;
  }

  /** Every client counts from 1: who gets another one's reply notices. */
  get #word(): string {
    return `${this.#options.name}, request ${this.#lastId}`;
  }
}
