import { RawConnection } from '../loader/raw-connection.ts';
import { describeClose, frameAt, payloadOf } from '../loader/server-frame.ts';

const finText = 0x81;
const maskBit = 0x80;
const opcodeMask = 0x0f;
const opcodeText = 0x1;
const opcodeClose = 0x8;
const opcodePing = 0x9;

export interface CrowdClientOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly localAddress: string;
  readonly name: string;
  readonly readBuffer: Buffer;
  readonly onOpen: () => void;
  /** A reply came to the message that was due at `dueMs`. */
  readonly onReply: (dueMs: number) => void;
  readonly onFault: (reason: string) => void;
}

/** One of very many clients: it says little, answers pings, and checks each reply. */
export class CrowdClient {
  readonly #options: CrowdClientOptions;
  readonly #connection: RawConnection;
  /** When the unanswered messages were due, oldest first. */
  readonly #due: number[] = [];
  #said = 0;
  #answered = 0;
  /** Bytes of a frame that is not complete. */
  #partial: Buffer | undefined;

  constructor(options: CrowdClientOptions) {
    this.#options = options;
    this.#connection = new RawConnection({
      ...options,
      onBytes: (chunk, length) => this.#onBytes(chunk.subarray(0, length)),
      onFault: (reason) => options.onFault(`${options.name}: ${reason}`),
    });
  }

  get inFlight(): number {
    return this.#due.length;
  }

  /** Sends the next message, which was due at `dueMs`. */
  say(dueMs: number): void {
    this.#due.push(dueMs);
    const text = `{"jsonrpc":"2.0","id":${++this.#said},"method":"echo","params":["${this.#options.name}"]}`;
    const payload = Buffer.from(text);
    this.#connection.write(
      Buffer.concat([Buffer.from([finText, maskBit | payload.length, 0, 0, 0, 0]), payload]),
    );
  }

  /** Drops the connection; nothing is reported any more. */
  close(): void {
    this.#connection.close();
  }

  #onBytes(chunk: Buffer): void {
    let rest = this.#partial === undefined ? chunk : Buffer.concat([this.#partial, chunk]);
    for (let frame = frameAt(rest); frame; frame = frameAt(rest)) {
      rest = rest.subarray(frame.length);
      this.#onFrame(frame[0]! & opcodeMask, payloadOf(frame));
    }
    this.#partial = rest.length === 0 ? undefined : Buffer.from(rest);
  }

  #onFrame(opcode: number, payload: Buffer): void {
    if (opcode === opcodePing) return this.#connection.writePong(Buffer.from(payload));
    if (opcode === opcodeClose) throw new Error(`closed by the server: ${describeClose(payload)}`);
    const heard = payload.toString('latin1');
    const due = this.#due.shift();
    const owed = `{"jsonrpc":"2.0","id":${++this.#answered},"result":["${this.#options.name}"]}`;
    if (opcode !== opcodeText || due === undefined || heard !== owed)
      throw new Error(`heard ${heard.slice(0, 200)}; what it was owed is ${owed}`);
    this.#options.onReply(due);
  }
}
