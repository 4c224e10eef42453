import { isWireCloseCode } from '../wire/close-code.ts';
import {
  FrameType,
  maxCarrierBytes,
  maxCloseReasonBytes,
  maxOpenBytes,
  maxPartBytes,
  maxPingBytes,
  maxStreamId,
  VANISHED_CODE,
} from './frames.ts';

const initialBytes = 4_096;
/** A larger message saves nothing, and holds up whoever has to wait for the whole of it. */
const enoughBytes = 65_536;
// Up to here a loop costs less than the view that a native copy needs.
const LOOP_MAX_BYTES = 32;

/** Packs the frames of docs/mux-protocol.md, those of many streams, into one message of the carrying connection. */
export class MuxFrameWriter {
  #block: Buffer = Buffer.allocUnsafeSlow(initialBytes);
  #length = 0;

  /** Bytes pending. */
  get length(): number {
    return this.#length;
  }

  /** There is enough for one message: whoever writes takes it before adding to it. */
  get full(): boolean {
    return this.#length >= enoughBytes;
  }

  /** Adds a message, or a part of one of at most 65,536 bytes; the stream's credit must pay for it. */
  data(
    stream: number,
    src: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void {
    const whole = isBinary ? FrameType.Binary : FrameType.Text;
    this.#frame(isLast ? whole : whole + 2, stream, src, start, end, maxPartBytes);
  }

  window(stream: number, credit: number): void {
    const at = this.#begin(FrameType.Window, stream, varintBytes(credit));
    this.#varint(at, credit);
  }

  /** Adds a CLOSE, its reason cut to 123 bytes between two characters. A code other than 1006 that may not be on the wire becomes none. */
  close(stream: number, code: number, reason: string): void {
    if (!isWireCloseCode(code) && code !== VANISHED_CODE) {
      this.#begin(FrameType.Close, stream, 0);
      return;
    }
    const payload = Buffer.allocUnsafe(2 + maxCloseReasonBytes);
    payload.writeUInt16BE(code);
    const length = 2 + payload.write(reason, 2);
    this.#frame(FrameType.Close, stream, payload, 0, length, payload.length);
  }

  /** Adds an OPEN with this JSON. */
  open(stream: number, json: Uint8Array): void {
    this.#frame(FrameType.Open, stream, json, 0, json.length, maxOpenBytes);
  }

  accept(stream: number, window: number, protocol: string): void {
    const windowBytes = varintBytes(window);
    const at = this.#begin(FrameType.Accept, stream, windowBytes + Buffer.byteLength(protocol));
    this.#varint(at, window);
    this.#block.write(protocol, at + windowBytes);
  }

  refuse(stream: number, status: number, reason: string): void {
    const at = this.#begin(FrameType.Refuse, stream, 2 + Buffer.byteLength(reason));
    this.#block.writeUInt16BE(status, at);
    this.#block.write(reason, at + 2);
  }

  ping(stream: number, src: Uint8Array, start: number, end: number): void {
    this.#frame(FrameType.Ping, stream, src, start, end, maxPingBytes);
  }

  /** Adds the answer to a PING, with the same payload. */
  pong(stream: number, src: Uint8Array, start: number, end: number): void {
    this.#frame(FrameType.Pong, stream, src, start, end, maxPingBytes);
  }

  goAway(): void {
    this.#begin(FrameType.GoAway, 0, 0);
  }

  /** Hands over the message; its bytes are valid until the next frame is added. Empty when there is none. */
  take(): Uint8Array {
    const bytes = this.#block.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #frame(type: number, stream: number, src: Uint8Array, start: number, end: number, maxBytes: number): void {
    if (end - start > maxBytes) throw new Error(`bug: a mux frame of more than ${maxBytes} bytes`);
    const at = this.#begin(type, stream, end - start);
    copyBytes(src, start, end, this.#block, at);
  }

  /** Makes room for a frame, writes its head and returns where its payload goes. */
  #begin(type: number, stream: number, payloadBytes: number): number {
    if (stream > maxStreamId) throw new Error(`bug: there is no stream ${stream}`);
    this.#reserve(1 + 5 + 4 + payloadBytes);
    this.#block[this.#length] = type;
    const payload = this.#varint(this.#varint(this.#length + 1, stream), payloadBytes);
    this.#length = payload + payloadBytes;
    return payload;
  }

  /** Writes a number and returns where it ends. */
  #varint(at: number, value: number): number {
    const block = this.#block;
    let next = at;
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) block[next++] = rest | 0x80;
    block[next++] = rest;
    return next;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#block.length) return;
    if (needed > maxCarrierBytes) throw new Error('bug: a mux message was not taken in time');
    const larger = Buffer.allocUnsafeSlow(
      Math.min(maxCarrierBytes, Math.max(needed, 2 * this.#block.length)),
    );
    this.#block.copy(larger, 0, 0, this.#length);
    this.#block = larger;
  }
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > 0x7f; rest >>>= 7) count++;
  return count;
}

function copyBytes(src: Uint8Array, start: number, end: number, into: Buffer, at: number): void {
  if (end - start > LOOP_MAX_BYTES) {
    into.set(src.subarray(start, end), at);
    return;
  }
  for (let i = start, to = at; i < end;) into[to++] = src[i++]!;
}
