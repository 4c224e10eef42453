import { WebSocket } from 'ws';
import { kinds } from '../result/failure-kinds.ts';
import { Failure, failureOf } from './failure.ts';
import { shakeHands, type HandshakeOptions, type Opened } from './handshake.ts';
import type { Message } from './message.ts';
import { OwedReplies, type Owed } from './owed-replies.ts';
import type { Telemetry, WireCounter } from './telemetry.ts';
import { isCodecName, wireCodec, type WireCodec } from './wire-codec.ts';

export interface ConnectionOptions extends HandshakeOptions {
  /** It ended unasked; `stalled`: when it had stopped reading. */
  readonly onDropped?: (kind: string, stalled: boolean) => void;
}

const normalClosure = 1_000;
const closedWithoutCode = 1_006;

/** One client, from its handshake (`handshake.ts`) to its goodbye: times it and every reply, and checks each of them. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #wire: WireCounter;
  readonly #telemetry: Telemetry;
  readonly #codec: WireCodec | undefined;
  readonly #owed = new OwedReplies();
  readonly #timeoutMs: number;
  readonly #onDropped: ConnectionOptions['onDropped'];
  #fault: Failure | undefined;
  #closing = false;
  #stalled = false;
  #ids = 0;
  #wake: (() => void) | undefined;

  /** Resolves when it is open; rejects with the `Failure`, which is counted already. */
  static async open(options: ConnectionOptions, telemetry: Telemetry): Promise<Connection> {
    telemetry.begun();
    const begunMs = performance.now();
    const shaken = await shakeHands(options);
    if (shaken.failure !== undefined) {
      telemetry.failed(shaken.failure);
      telemetry.over(shaken.wire);
      throw shaken.failure;
    }
    telemetry.opened(shaken.wire, performance.now() - begunMs);
    return new Connection(shaken, options, telemetry);
  }

  private constructor(
    { socket, wire, codec }: Opened,
    { timeoutMs, onDropped }: ConnectionOptions,
    telemetry: Telemetry,
  ) {
    this.#socket = socket;
    this.#wire = wire;
    this.#telemetry = telemetry;
    this.#timeoutMs = timeoutMs;
    this.#onDropped = onDropped;
    this.#codec = codec !== undefined && isCodecName(codec) ? wireCodec(codec) : undefined;
    socket.on('message', (data: Buffer, isBinary) => this.#take({ bytes: data, isBinary }));
    socket.on('error', (error) => (this.#fault ??= failureOf(error)));
    socket.on('close', (code, reason) => this.#onClose(code, reason.toString()));
    socket.resume();
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** How many messages have no reply yet. */
  get owed(): number {
    return this.#owed.size;
  }

  /** The id of the next JSON-RPC request. */
  nextId(): number {
    return ++this.#ids;
  }

  /** Sends a message, to which a reply is owed where `owed` says what; false when the connection is gone. */
  send(message: Message, owed?: Omit<Owed, 'message'>): boolean {
    if (!this.isOpen) return false;
    const wire = this.#codec === undefined ? message : this.#codec.pack(message);
    if (owed !== undefined) this.#owed.add({ ...owed, message });
    this.#socket.send(wire.bytes, { binary: wire.isBinary });
    this.#telemetry.sent();
    return true;
  }

  /** Resolves when at most `most` replies are owed, or the connection is gone; false when one took too long, which is counted. */
  async owesAtMost(most: number): Promise<boolean> {
    while (this.#owed.size > most && this.isOpen) {
      const leftMs = this.#owed.oldest!.sinceMs + this.#timeoutMs - performance.now();
      if (leftMs <= 0) return !this.dropLate();
      await this.#news(leftMs);
    }
    return true;
  }

  /** Gives up what is owed for too long, and counts it; true when there was any. */
  dropLate(): boolean {
    const late = this.#owed.dropBefore(performance.now() - this.#timeoutMs + 1, kinds.replyTimeout);
    if (late > 0)
      this.#telemetry.failed(
        new Failure(kinds.replyTimeout, `none within ${this.#timeoutMs / 1_000} s`),
        late,
      );
    return late > 0;
  }

  /** Reads nothing more, until `read`. */
  stopReading(): void {
    this.#stalled = true;
    this.#socket.pause();
  }

  read(): void {
    this.#socket.resume();
  }

  /** Waits until the server closes; false when it has not within `waitMs`. */
  async closedWithin(waitMs: number): Promise<boolean> {
    const untilMs = performance.now() + waitMs;
    while (this.#socket.readyState !== WebSocket.CLOSED) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return false;
      await this.#news(leftMs);
    }
    return true;
  }

  /** Says goodbye and waits for the answer; cuts the connection where none comes. */
  async close(code = normalClosure, reason = ''): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#closing = true;
    this.#owed.dropAll(kinds.gone);
    this.#socket.resume();
    this.#socket.close(code, reason);
    if (await this.closedWithin(this.#timeoutMs)) return;
    this.#telemetry.failed(new Failure(kinds.closeTimeout));
    this.#socket.terminate();
    await this.closedWithin(this.#timeoutMs);
  }

  /** Cuts the connection. */
  cut(): void {
    this.#closing = true;
    this.#socket.terminate();
  }

  #take(wire: Message): void {
    const nowMs = performance.now();
    // What comes after the goodbye is nobody's.
    if (this.#closing) return;
    let reply = wire;
    try {
      if (this.#codec !== undefined) reply = this.#codec.unpack(wire);
    } catch (error) {
      this.#telemetry.failed(new Failure(kinds.undecodable, (error as Error).message));
      return;
    }
    const { owed, failure } = this.#owed.settle(reply);
    owed?.onSettled?.(failure?.kind);
    if (failure !== undefined) this.#telemetry.failed(failure);
    else if (owed !== undefined) this.#telemetry.received(nowMs - owed.sinceMs);
    this.#wake?.();
  }

  #onClose(code: number, reason: string): void {
    const why = this.#whyClosed(code, reason);
    const lost = this.#owed.dropAll(why.kind);
    if (!this.#closing) {
      this.#telemetry.failed(why, Math.max(1, lost));
      this.#onDropped?.(why.kind, this.#stalled);
    }
    this.#telemetry.closed(this.#wire);
    this.#wake?.();
  }

  #whyClosed(code: number, reason: string): Failure {
    if (this.#fault !== undefined) return this.#fault;
    return code === closedWithoutCode ? new Failure(kinds.cutOff) : new Failure(kinds.closed(code), reason);
  }

  /** Resolves at the next reply or at the close, or after `waitMs`. */
  async #news(waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, waitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
