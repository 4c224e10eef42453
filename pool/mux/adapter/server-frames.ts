import { MAX_CONTROL_BYTES, Opcode } from '../../wire/opcode.ts';

const FIN = 0x80;
const NOT_OURS = 0x70;
const MASKED = 0x80;
const MAX_HEAD_BYTES = 10;

/** Gets the frames of a WebSocket server that belong to no message; the payload is valid only during the call. */
export type ControlHandler = (opcode: number, payload: Buffer) => void;

/**
 * Finds the frames (RFC 6455 section 5.2) in what a WebSocket server writes, in chunks of any size. The payload of a message
 * is left where it is, for whoever may send on only a part of it.
 */
export class ServerFrames {
  readonly #onControl: ControlHandler;
  readonly #head = Buffer.alloc(MAX_HEAD_BYTES);
  #headBytes = 0;
  #control = Buffer.alloc(0);
  #controlBytes = 0;
  #inControl = false;
  #left = 0;
  #inPayload = false;
  #isLast = false;
  #isBinary = false;

  constructor(onControl: ControlHandler) {
    this.#onControl = onControl;
  }

  /** A frame of a message has begun whose end was not taken yet. */
  get inPayload(): boolean {
    return this.#inPayload;
  }

  /** Bytes of its payload that were not taken yet. */
  get left(): number {
    return this.#left;
  }

  /** It ends its message. */
  get isLast(): boolean {
    return this.#isLast;
  }

  get isBinary(): boolean {
    return this.#isBinary;
  }

  /** Says that so many bytes of the payload were taken. */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left === 0) this.#inPayload = false;
  }

  /** Reads up to the next payload of a message and returns where it begins. Throws where it cannot go on. */
  next(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length && !this.#inPayload) {
      if (this.#inControl) at = this.#fillControl(chunk, at);
      else at = this.#fillHead(chunk, at);
    }
    return at;
  }

  #fillHead(chunk: Buffer, at: number): number {
    this.#head[this.#headBytes++] = chunk[at]!;
    const short = this.#head[1]! & 0x7f;
    const size = this.#headBytes < 2 || short <= 125 ? 2 : short === 126 ? 4 : MAX_HEAD_BYTES;
    if (this.#headBytes === size) this.#begin(this.#head[0]!, this.#head[1]!, short);
    return at + 1;
  }

  #begin(first: number, second: number, short: number): void {
    this.#headBytes = 0;
    const opcode = first & 0x0f;
    if ((first & NOT_OURS) !== 0 || (second & MASKED) !== 0 || (opcode & 0x07) > 2)
      throw new Error('not a frame of a WebSocket server');
    const size =
      short === 127 ? this.#head.readUIntBE(4, 6) : short === 126 ? this.#head.readUInt16BE(2) : short;
    if (opcode >= Opcode.Close) {
      if (size > MAX_CONTROL_BYTES) throw new Error('a control frame that is too long');
      this.#control = Buffer.alloc(size);
      this.#head[0] = first;
      this.#controlBytes = 0;
      this.#inControl = size > 0;
      if (size === 0) this.#onControl(opcode, this.#control);
      return;
    }
    if (opcode !== Opcode.Continuation) this.#isBinary = opcode === Opcode.Binary;
    this.#isLast = (first & FIN) !== 0;
    this.#left = size;
    this.#inPayload = true;
  }

  #fillControl(chunk: Buffer, at: number): number {
    const taken = chunk.copy(this.#control, this.#controlBytes, at);
    this.#controlBytes += taken;
    if (this.#controlBytes === this.#control.length) {
      this.#inControl = false;
      this.#onControl(this.#head[0]! & 0x0f, this.#control);
    }
    return at + taken;
  }
}
