import { isWireCloseCode, NO_CLOSE_CODE } from './close-code.ts';
import { MAX_CONTROL_BYTES, Opcode } from './opcode.ts';
import { isValidUtf8 } from './utf8.ts';

/** Who gets what a FrameReader finds. Bytes are valid only during the call. */
export interface FrameHandler {
  onMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void;
  onPing(buf: Uint8Array, start: number, end: number): void;
  onPong(buf: Uint8Array, start: number, end: number): void;
  /** The last call; the code is 1005 when the frame was empty. */
  onClose(code: number, reason: string): void;
  /** The last call; the code is the one to close with. */
  onFault(code: 1002 | 1007 | 1009, message: string): void;
}

export interface FrameReaderOptions {
  readonly handler: FrameHandler;
  readonly maxMessageBytes: number;
  /** Most frames that one message may come in. */
  readonly maxFragments: number;
}

const FIN = 0x80;
const MASKED = 0x80;
const RESERVED = 0x70;
const MAX_HEADER_BYTES = 10;
const NONE: Buffer = Buffer.alloc(0);

// What a header tells when it does not tell the size of its frame.
const INCOMPLETE = 0;
const FAULT = -1;

/**
 * Reads a server's frames (RFC 6455 section 5) from chunks of any size. A frame that is complete in its chunk is handed
 * out as offsets into the chunk; only the part of a frame that ends a chunk is copied.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #maxMessageBytes: number;
  readonly #maxFragments: number;
  #stopped = false;

  /** Of the frame whose header was read last. */
  #headerBytes = 0;
  #payloadBytes = 0;

  /** The bytes so far of a frame that is not complete, and its full size once the header tells it. */
  #held = NONE;
  #heldBytes = 0;
  #heldSize = INCOMPLETE;

  /** The payload so far of a fragmented message, its opcode (0 = there is none), and in how many frames it came. */
  #message = NONE;
  #messageBytes = 0;
  #messageOpcode = 0;
  #fragments = 0;

  constructor({ handler, maxMessageBytes, maxFragments }: FrameReaderOptions) {
    this.#handler = handler;
    this.#maxMessageBytes = maxMessageBytes;
    this.#maxFragments = maxFragments;
  }

  /** Reads a chunk; its memory may be reused afterwards. Not to be called from within the handler. */
  push(buf: Uint8Array, start: number, end: number): void {
    let at = this.#heldBytes === 0 ? start : this.#fill(buf, start, end);
    while (at < end && !this.#stopped) {
      const size = this.#readHeader(buf, at, end);
      if (size === FAULT) return;
      if (size === INCOMPLETE || at + size > end) {
        this.#hold(buf, at, end, size);
        return;
      }
      this.#deliver(buf, at);
      at += size;
    }
  }

  /** Ends reading at once, even from within the handler: it is not called again. */
  stop(): void {
    this.#stopped = true;
    this.#heldBytes = 0;
    this.#held = NONE;
    this.#message = NONE;
  }

  /** The size of the frame at `at`, header included, or INCOMPLETE or FAULT. */
  #readHeader(buf: Uint8Array, at: number, end: number): number {
    if (end - at < 2) return INCOMPLETE;
    const first = buf[at]!;
    const second = buf[at + 1]!;
    const short = second & 0x7f;
    const fault = this.#headerFault(first, second);
    if (fault !== undefined) return this.#fault(1002, fault);
    this.#headerBytes = short <= 125 ? 2 : short === 126 ? 4 : MAX_HEADER_BYTES;
    if (end - at < this.#headerBytes) return INCOMPLETE;
    if (short === 127 && buf[at + 2]! > 0x7f) return this.#fault(1002, 'length with its highest bit set');
    this.#payloadBytes = short <= 125 ? short : short === 126 ? uint16(buf, at + 2) : uint64(buf, at + 2);
    if ((first & 0x08) !== 0) return this.#headerBytes + this.#payloadBytes;
    if (this.#messageBytes + this.#payloadBytes > this.#maxMessageBytes)
      return this.#fault(1009, 'message too big');
    if (this.#fragments >= this.#maxFragments) return this.#fault(1009, 'message in too many fragments');
    return this.#headerBytes + this.#payloadBytes;
  }

  /** What is wrong with the first two bytes of a frame. */
  #headerFault(first: number, second: number): string | undefined {
    const opcode = first & 0x0f;
    if ((first & RESERVED) !== 0) return 'reserved bits set';
    if ((second & MASKED) !== 0) return 'masked frame from a server';
    if ((opcode & 0x07) > 2) return 'unknown opcode';
    if (opcode >= Opcode.Close) {
      if ((first & FIN) === 0) return 'fragmented control frame';
      return second > MAX_CONTROL_BYTES ? 'control frame of more than 125 bytes' : undefined;
    }
    if (opcode === Opcode.Continuation) {
      return this.#messageOpcode === 0 ? 'continuation of no message' : undefined;
    }
    return this.#messageOpcode === 0 ? undefined : 'new message inside a fragmented one';
  }

  /** Keeps the start of a frame; allocates by what has arrived, not by what the header announces. */
  #hold(buf: Uint8Array, at: number, end: number, size: number): void {
    const arrived = end - at;
    this.#held = Buffer.allocUnsafe(size === INCOMPLETE ? MAX_HEADER_BYTES : capacityFor(arrived, size));
    this.#held.set(buf.subarray(at, end));
    this.#heldBytes = arrived;
    this.#heldSize = size;
  }

  /** Adds to the kept frame and delivers it once complete; returns where the next frame starts. */
  #fill(buf: Uint8Array, start: number, end: number): number {
    let at = start;
    while (this.#heldSize === INCOMPLETE) {
      if (at === end) return end;
      this.#held[this.#heldBytes++] = buf[at++]!;
      this.#heldSize = this.#readHeader(this.#held, 0, this.#heldBytes);
      if (this.#heldSize === FAULT) return end;
    }
    const taken = Math.min(end - at, this.#heldSize - this.#heldBytes);
    this.#held = withRoom(this.#held, this.#heldBytes, taken, this.#heldSize);
    this.#held.set(buf.subarray(at, at + taken), this.#heldBytes);
    this.#heldBytes += taken;
    if (this.#heldBytes < this.#heldSize) return end;
    const frame = this.#held;
    this.#held = NONE;
    this.#heldBytes = 0;
    this.#deliver(frame, 0);
    return at + taken;
  }

  /** Handles the complete frame at `at`, whose header was just read. */
  #deliver(buf: Uint8Array, at: number): void {
    const opcode = buf[at]! & 0x0f;
    const start = at + this.#headerBytes;
    const end = start + this.#payloadBytes;
    if (opcode === Opcode.Ping) this.#handler.onPing(buf, start, end);
    else if (opcode === Opcode.Pong) this.#handler.onPong(buf, start, end);
    else if (opcode === Opcode.Close) this.#close(buf, start, end);
    else if (opcode !== Opcode.Continuation && (buf[at]! & FIN) !== 0)
      this.#complete(buf, start, end, opcode);
    else this.#append(buf, start, end, opcode, (buf[at]! & FIN) !== 0);
  }

  #append(buf: Uint8Array, start: number, end: number, opcode: number, isLast: boolean): void {
    const size = end - start;
    const limit = isLast ? this.#messageBytes + size : this.#maxMessageBytes;
    this.#message = withRoom(this.#message, this.#messageBytes, size, limit);
    this.#message.set(buf.subarray(start, end), this.#messageBytes);
    this.#messageBytes += size;
    this.#fragments++;
    if (opcode !== Opcode.Continuation) this.#messageOpcode = opcode;
    if (!isLast) return;
    const message = this.#message;
    const messageBytes = this.#messageBytes;
    const messageOpcode = this.#messageOpcode;
    this.#message = NONE;
    this.#messageBytes = 0;
    this.#messageOpcode = 0;
    this.#fragments = 0;
    this.#complete(message, 0, messageBytes, messageOpcode);
  }

  #complete(buf: Uint8Array, start: number, end: number, opcode: number): void {
    if (opcode === Opcode.Binary) this.#handler.onMessage(buf, start, end, true);
    else if (isValidUtf8(buf, start, end)) this.#handler.onMessage(buf, start, end, false);
    else this.#fault(1007, 'text that is not UTF-8');
  }

  #close(buf: Uint8Array, start: number, end: number): void {
    if (start === end) {
      this.stop();
      this.#handler.onClose(NO_CLOSE_CODE, '');
      return;
    }
    const code = end - start === 1 ? 0 : uint16(buf, start);
    if (!isWireCloseCode(code)) this.#fault(1002, 'close frame without a valid code');
    else if (!isValidUtf8(buf, start + 2, end)) this.#fault(1007, 'close reason that is not UTF-8');
    else {
      this.stop();
      this.#handler.onClose(
        code,
        Buffer.from(buf.buffer, buf.byteOffset + start + 2, end - start - 2).toString(),
      );
    }
  }

  #fault(code: 1002 | 1007 | 1009, message: string): typeof FAULT {
    this.stop();
    this.#handler.onFault(code, message);
    return FAULT;
  }
}

/** The buffer, or a larger one with the same first `used` bytes, in which `more` fit; never larger than it can get. */
function withRoom(buf: Buffer, used: number, more: number, limit: number): Buffer {
  if (used + more <= buf.length) return buf;
  const larger = Buffer.allocUnsafe(capacityFor(used + more, limit));
  buf.copy(larger, 0, 0, used);
  return larger;
}

/** Room for what arrived and three times as much: a large frame is then copied hardly more than once. */
function capacityFor(arrived: number, limit: number): number {
  return Math.min(limit, Math.max(256, 4 * arrived));
}

function uint16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

function uint64(buf: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) value = value * 256 + buf[i]!;
  return value;
}
