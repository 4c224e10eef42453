import { ConnectionFault } from '../loader/connection-fault.ts';
import { RawConnection } from '../loader/raw-connection.ts';
import { closeCode, describeClose, frameAt, opcodeOf, opcodes, payloadOf } from '../loader/server-frame.ts';
import { shown } from '../loader/shown.ts';
import { kinds } from '../result/failure-kinds.ts';
import { clientNamedIn, firstCounter, type Exchange } from './exchange.ts';
import type { Speaker } from './load.ts';

/** What a server may send here: whole frames, unmasked, without extensions. */
const firstBytes: ReadonlySet<number> = new Set([0x81, 0x82, 0x88, 0x89, 0x8a]);
/** Of a ping, a pong or a close. */
const mostControlBytes = 125;
const mostFrameBytes = 1 << 20;

export type ClientState = 'opening' | 'open' | 'over';

/** What the clients of a process have in common. */
export interface Crowd {
  readonly target: { readonly host: string; readonly port: number; readonly path: string };
  readonly exchange: Exchange;
  /** Receive memory: it is read before the next read. */
  readonly readBuffer: Buffer;
  onOpen(client: ScaleClient): void;
  /** An answer came at `nowMs`; `fault` is set when it is an error. Returns false when this message was not waiting for one. */
  onAnswer(client: ScaleClient, counter: number, nowMs: number, fault?: string): boolean;
  /** The connection is over, unasked; `before` is what it was. */
  onFault(client: ScaleClient, before: ClientState, kind: string, reason: string): void;
}

/** One of very many clients: it says little, answers pings, and checks each byte it hears. */
export class ScaleClient implements Speaker {
  readonly number: number;
  readonly openingMs = performance.now();
  state: ClientState = 'opening';
  /** Its place among those that take turns in a load. */
  slot = -1;
  readonly #crowd: Crowd;
  readonly #connection: RawConnection;
  /** Bytes of a frame that is not complete. */
  #partial: Buffer | undefined;

  constructor(crowd: Crowd, number: number, localAddress: string | undefined) {
    this.number = number;
    this.#crowd = crowd;
    this.#connection = new RawConnection({
      ...crowd.target,
      localAddress,
      readBuffer: crowd.readBuffer,
      onOpen: () => {
        this.state = 'open';
        crowd.onOpen(this);
      },
      onBytes: (chunk, length) => this.#onBytes(chunk, length),
      onFault: (reason, kind) => this.#onFault(kind, reason),
    });
  }

  isOpen(): boolean {
    return this.state === 'open';
  }

  /** Sends its message of that number; returns false when the server does not read, or the client is gone. */
  say(counter: number): boolean {
    return this.#connection.tryWrite(this.#crowd.exchange.request(this.number, counter));
  }

  /** Gives up: what it heard last was too long ago. */
  giveUp(kind: string, reason: string): void {
    this.#connection.close();
    this.#onFault(kind, reason);
  }

  /** Drops the connection; nothing is reported any more. */
  close(): void {
    this.state = 'over';
    this.#connection.close();
  }

  #onFault(kind: string, reason: string): void {
    if (this.state === 'over') return;
    const before = this.state;
    this.state = 'over';
    this.#crowd.onFault(this, before, kind, reason);
  }

  #onBytes(chunk: Buffer, length: number): void {
    const { exchange } = this.#crowd;
    const size = exchange.replyLength;
    const nowMs = performance.now();
    let at = 0;
    if (this.#partial === undefined)
      while (length - at >= size) {
        const counter = exchange.counterIn(chunk, at, this.number);
        if (counter < 0) break;
        this.#onReply(counter, nowMs);
        at += size;
      }
    if (at < length) this.#onRest(chunk.subarray(at, length), nowMs);
  }

  #onReply(counter: number, nowMs: number): void {
    if (this.#crowd.onAnswer(this, counter, nowMs)) return;
    const text = this.#crowd.exchange.replyText(this.number, counter);
    throw new ConnectionFault(
      kinds.unasked,
      `a reply that nobody waits for, or a second one: ${shown(text)}`,
    );
  }

  #onRest(chunk: Buffer, nowMs: number): void {
    let rest = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = undefined;
    if (!firstBytes.has(rest[0]!)) throw garbage(rest);
    for (let frame = frameAt(rest); frame; frame = frameAt(rest)) {
      rest = rest.subarray(frame.length);
      this.#onFrame(frame, nowMs);
      if (rest.length > 0 && !firstBytes.has(rest[0]!)) throw garbage(rest);
    }
    if (rest.length > mostFrameBytes) throw garbage(rest);
    if (rest.length > 0) this.#partial = Buffer.from(rest);
  }

  #onFrame(frame: Buffer, nowMs: number): void {
    const opcode = opcodeOf(frame);
    if (opcode >= opcodes.close && frame[1]! > mostControlBytes) throw garbage(frame);
    if (opcode === opcodes.ping) return this.#connection.writePong(Buffer.from(payloadOf(frame)));
    if (opcode === opcodes.pong) return;
    if (opcode === opcodes.close) {
      const said = payloadOf(frame);
      throw new ConnectionFault(
        kinds.closed(closeCode(said)),
        `closed by the server: ${shown(describeClose(said))}`,
      );
    }
    const { exchange } = this.#crowd;
    if (frame.length === exchange.replyLength) {
      const counter = exchange.counterIn(frame, 0, this.number);
      if (counter >= 0) return this.#onReply(counter, nowMs);
    }
    const text = payloadOf(frame).toString('utf8');
    const error = opcode === opcodes.text ? errorReply(text) : undefined;
    const fault = error && `${kinds.errorReply(error.code)}: ${shown(text)}`;
    if (error && this.#crowd.onAnswer(this, error.id, nowMs, fault)) return;
    throw wrongReply(text, this.number, exchange);
  }
}

/** Returns the id and the code of a JSON-RPC error; undefined when the text is none. */
function errorReply(text: string): { id: number; code: number } | undefined {
  if (!text.includes('"error"')) return undefined;
  try {
    const { id, error } = JSON.parse(text) as { id?: unknown; error?: { code?: unknown } };
    const code = error?.code;
    return typeof id === 'number' && typeof code === 'number' ? { id, code } : undefined;
  } catch {
    return undefined;
  }
}

function wrongReply(text: string, client: number, exchange: Exchange): ConnectionFault {
  const named = clientNamedIn(text);
  const owed = exchange.replyText(client, firstCounter);
  if (named >= 0 && named !== client)
    return new ConnectionFault(kinds.foreignReply, `it heard what is another's: ${shown(text)}`);
  return new ConnectionFault(kinds.wrongReply, `heard ${shown(text)}; it was owed one like ${shown(owed)}`);
}

function garbage(bytes: Buffer): ConnectionFault {
  return new ConnectionFault(kinds.garbage, `no WebSocket frame: ${bytes.toString('hex', 0, 16)} …`);
}
