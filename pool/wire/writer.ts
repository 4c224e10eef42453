import type { BufferPool } from './buffer-pool.ts';
import { isWireCloseCode } from './close-code.ts';
import { maskInPlace } from './mask.ts';
import { MAX_CONTROL_BYTES, Opcode } from './opcode.ts';

export interface FrameWriterOptions {
  readonly buffers: BufferPool;
  /** The upstream and the way to it are trusted: frames carry the zero key, which leaves their bytes as they are. */
  readonly trusted: boolean;
}

export type UnsentVisitor = (buf: Uint8Array, start: number, end: number, isBinary: boolean) => void;

const FIN = 0x80;
const MASKED = 0x80;
const KEY_BYTES = 4;
const EMPTY = new Uint8Array(0);
// A first block is never larger than this, however much the last turn needed.
const MAX_EXPECTED_BYTES = 65_536;
// Up to here a loop costs less than the view that a native copy needs.
const LOOP_MAX_BYTES = 32;

/** Builds the client's frames of RFC 6455, always with the mask bit, into one buffer that is handed over whole. */
export class FrameWriter {
  readonly #buffers: BufferPool;
  readonly #trusted: boolean;
  #block: Buffer<ArrayBuffer> | undefined;
  /** The block again, word by word; made at the first frame that needs masking. */
  #words: Int32Array<ArrayBuffer> | undefined;
  #length = 0;
  /** How much was taken last: about what the next block will have to hold. */
  #lastLength = 0;

  constructor({ buffers, trusted }: FrameWriterOptions) {
    this.#buffers = buffers;
    this.#trusted = trusted;
  }

  /** Bytes pending, headers included. */
  get length(): number {
    return this.#length;
  }

  /** Adds one unfragmented text or binary message. */
  message(src: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#frame(isBinary ? Opcode.Binary : Opcode.Text, src, start, end);
  }

  /** Adds one text message in which the bytes from cutStart to cutEnd are replaced by the digits of `id`. */
  spliced(src: Uint8Array, start: number, cutStart: number, cutEnd: number, end: number, id: number): void {
    if (!Number.isSafeInteger(id) || id < 0) throw new Error(`bug: ${id} cannot be a wire id`);
    const digits = digitCount(id);
    const payload = this.#begin(Opcode.Text, cutStart - start + digits + end - cutEnd);
    const block = this.#block!;
    const digitsEnd = payload + cutStart - start + digits;
    copyBytes(src, start, cutStart, block, payload);
    writeDigits(block, digitsEnd, id);
    copyBytes(src, cutEnd, end, block, digitsEnd);
    this.#mask(payload);
  }

  /** Adds a ping of at most 125 bytes. */
  ping(payload: Uint8Array = EMPTY): void {
    this.#control(Opcode.Ping, payload, 0, payload.length);
  }

  /** Adds a pong of at most 125 bytes, which must be those of the ping. */
  pong(src: Uint8Array, start: number, end: number): void {
    this.#control(Opcode.Pong, src, start, end);
  }

  /**
   * Adds a close frame, its reason cut to 123 bytes between two characters. A code that may not be on the wire (1005
   * and its like) makes the frame empty.
   */
  close(code: number, reason: string): void {
    const payload = Buffer.allocUnsafe(MAX_CONTROL_BYTES);
    let length = 0;
    if (isWireCloseCode(code)) {
      payload.writeUInt16BE(code);
      length = 2 + payload.write(reason, 2);
    }
    this.#control(Opcode.Close, payload, 0, length);
  }

  /** Hands over all pending bytes, or undefined when there are none. They are the caller's until it recycles them. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    this.#lastLength = this.#length;
    const bytes = this.#block?.subarray(0, this.#length);
    this.#forget();
    return bytes;
  }

  /** Takes back what `take` handed over, once it is written. Throws when that happened before. */
  recycle(bytes: Uint8Array<ArrayBuffer>): void {
    this.#buffers.release(bytes);
  }

  /** Visits the messages still pending, unmasked, oldest first; the bytes are a copy and stay valid. */
  unsent(visit: UnsentVisitor): void {
    if (this.#block === undefined) return;
    const bytes = Buffer.copyBytesFrom(this.#block, 0, this.#length);
    let at = 0;
    while (at < bytes.length) at = visitFrame(bytes, at, visit);
  }

  /** Drops everything pending. */
  clear(): void {
    if (this.#block !== undefined) this.#buffers.release(this.#block);
    this.#forget();
  }

  #control(opcode: number, src: Uint8Array, start: number, end: number): void {
    if (end - start > MAX_CONTROL_BYTES) throw new Error('bug: a control frame of more than 125 bytes');
    this.#frame(opcode, src, start, end);
  }

  #frame(opcode: number, src: Uint8Array, start: number, end: number): void {
    const payload = this.#begin(opcode, end - start);
    copyBytes(src, start, end, this.#block!, payload);
    this.#mask(payload);
  }

  /** Makes room for a frame, writes its header with the zero key and returns where its payload goes. */
  #begin(opcode: number, size: number): number {
    const header = (size <= 125 ? 2 : size <= 0xffff ? 4 : 10) + KEY_BYTES;
    const block = this.#reserve(header + size);
    const at = this.#length;
    const payload = at + header;
    block[at] = FIN | opcode;
    if (size <= 125) {
      block[at + 1] = MASKED | size;
    } else if (size <= 0xffff) {
      block[at + 1] = MASKED | 126;
      block[at + 2] = size >>> 8;
      block[at + 3] = size;
    } else {
      block[at + 1] = MASKED | 127;
      block.writeUInt32BE(Math.floor(size / 2 ** 32), at + 2);
      block.writeUInt32BE(size >>> 0, at + 6);
    }
    block[payload - 4] = 0;
    block[payload - 3] = 0;
    block[payload - 2] = 0;
    block[payload - 1] = 0;
    this.#length = payload + size;
    return payload;
  }

  /** Masks the last frame, whose payload starts at `payload`, with a new key. */
  #mask(payload: number): void {
    if (this.#trusted) return;
    const block = this.#block!;
    this.#words ??= new Int32Array(block.buffer);
    const key = this.#buffers.maskKeys.next();
    block[payload - 4] = key;
    block[payload - 3] = key >>> 8;
    block[payload - 2] = key >>> 16;
    block[payload - 1] = key >>> 24;
    maskInPlace(block, this.#words, payload, this.#length, key);
  }

  #reserve(bytes: number): Buffer<ArrayBuffer> {
    const block = this.#block;
    const needed = this.#length + bytes;
    if (block !== undefined && needed <= block.length) return block;
    const wanted = block === undefined ? Math.min(this.#lastLength, MAX_EXPECTED_BYTES) : 2 * block.length;
    const larger = this.#buffers.take(Math.max(needed, wanted));
    if (block !== undefined) {
      block.copy(larger, 0, 0, this.#length);
      this.#buffers.release(block);
    }
    this.#words = undefined;
    this.#block = larger;
    return larger;
  }

  #forget(): void {
    this.#block = undefined;
    this.#words = undefined;
    this.#length = 0;
  }
}

function copyBytes(src: Uint8Array, start: number, end: number, into: Buffer, at: number): void {
  if (end - start > LOOP_MAX_BYTES) {
    into.set(src.subarray(start, end), at);
    return;
  }
  for (let i = start, to = at; i < end;) into[to++] = src[i++]!;
}

function digitCount(id: number): number {
  let count = 1;
  for (let ceiling = 10; id >= ceiling; ceiling *= 10) count++;
  return count;
}

/** Writes the digits of `id` so that the last one is just before `end`. */
function writeDigits(buf: Uint8Array, end: number, id: number): void {
  let at = end;
  let rest = id;
  while (rest > 0x7fffffff) {
    const tenth = Math.floor(rest / 10);
    buf[--at] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  }
  do {
    const tenth = (rest / 10) | 0;
    buf[--at] = 0x30 + (rest - tenth * 10);
    rest = tenth;
  } while (rest > 0);
}

/** Unmasks the frame at `at`, visits it when it is a message, and returns where it ends. */
function visitFrame(bytes: Buffer, at: number, visit: UnsentVisitor): number {
  const opcode = bytes[at]! & 0x0f;
  const short = bytes[at + 1]! & 0x7f;
  const header = (short <= 125 ? 2 : short === 126 ? 4 : 10) + KEY_BYTES;
  const size = short <= 125 ? short : bytes.readUIntBE(at + (short === 126 ? 2 : 4), short === 126 ? 2 : 6);
  const payload = at + header;
  const end = payload + size;
  if (opcode === Opcode.Text || opcode === Opcode.Binary) {
    for (let i = payload; i < end; i++) bytes[i]! ^= bytes[payload - KEY_BYTES + ((i - payload) & 3)]!;
    visit(bytes, payload, end, opcode === Opcode.Binary);
  }
  return end;
}
