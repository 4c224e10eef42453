import { isWireCloseCode, NO_CLOSE_CODE } from '../wire/close-code.ts';
import { isValidUtf8 } from '../wire/utf8.ts';
import {
  FrameType,
  maxCarrierBytes,
  maxCloseReasonBytes,
  maxCredit,
  maxOpenBytes,
  maxPartBytes,
  maxPingBytes,
  maxStreamId,
  minWindow,
  VANISHED_CODE,
} from './frames.ts';

/** Who gets the frames that a MuxFrameReader finds. Bytes are valid only during the call; stream 0 is the connection itself. */
export interface MuxFrameHandler {
  /** One message, or a part of one; `isLast` tells whether the message is complete. */
  onData(
    stream: number,
    buf: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void;
  onWindow(stream: number, credit: number): void;
  /** The code is 1005 when there was none, and 1006 when the client has vanished. */
  onClose(stream: number, code: number, reason: string): void;
  /** The payload, which has a permitted length, and is not looked at. */
  onOpen(stream: number, buf: Uint8Array, start: number, end: number): void;
  onAccept(stream: number, window: number, protocol: string): void;
  onRefuse(stream: number, status: number, reason: string): void;
  onPing(stream: number, buf: Uint8Array, start: number, end: number): void;
  onPong(stream: number, buf: Uint8Array, start: number, end: number): void;
  onGoAway(): void;
  /** The last call: the peer does not keep to the protocol, so that the connection is closed with 1002. */
  onBreach(problem: string): void;
}

export interface MuxFrameReaderOptions {
  readonly handler: MuxFrameHandler;
  /** Whose frames are read. */
  readonly from: 'gateway' | 'backend';
}

const MAX_STREAM_VARINT = 5;
const MAX_LENGTH_VARINT = 4;
const WRONG = -1;

/** Reads the frames of docs/mux-protocol.md, whole messages at a time, without a copy or an object for each. */
export class MuxFrameReader {
  readonly #handler: MuxFrameHandler;
  readonly #isFromGateway: boolean;
  #stopped = false;
  /** Where the varint that was read last ends. */
  #at = 0;

  constructor({ handler, from }: MuxFrameReaderOptions) {
    this.#handler = handler;
    this.#isFromGateway = from === 'gateway';
  }

  /** Reads one message of the carrying connection. Not to be called from within the handler. */
  push(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (!isBinary) return this.#breach('a text message');
    if (end - start > maxCarrierBytes) return this.#breach('a message that is too long');
    let at = start;
    while (at < end && !this.#stopped) {
      const type = buf[at]!;
      const stream = this.#varint(buf, at + 1, end, MAX_STREAM_VARINT);
      const length = stream === WRONG ? WRONG : this.#varint(buf, this.#at, end, MAX_LENGTH_VARINT);
      const payload = this.#at;
      if (length === WRONG || stream > maxStreamId) return this.#breach('a frame without a valid head');
      at = payload + length;
      if (at > end) return this.#breach('a frame that is cut off');
      this.#deliver(type, stream, buf, payload, at);
    }
  }

  /** Ends reading at once, even from within the handler: it is not called again. */
  stop(): void {
    this.#stopped = true;
  }

  #deliver(type: number, stream: number, buf: Uint8Array, start: number, end: number): void {
    if (type >= FrameType.Text && type <= FrameType.BinaryPart) {
      if (stream === 0) return this.#breach('DATA on stream 0');
      if (end - start > maxPartBytes) return this.#breach('a part that is too long');
      this.#handler.onData(stream, buf, start, end, (type & 1) === 1, type <= FrameType.Binary);
      return;
    }
    if (type >= FrameType.FirstExtension) return;
    if (stream === 0 && (type < FrameType.Ping || type > FrameType.GoAway))
      return this.#breach('a frame on stream 0 that belongs to a client');
    switch (type) {
      case FrameType.Window:
        return this.#window(stream, buf, start, end);
      case FrameType.Close:
        return this.#close(stream, buf, start, end);
      case FrameType.Ping:
        if (end - start > maxPingBytes) return this.#breach('a PING that is too long');
        return this.#handler.onPing(stream, buf, start, end);
      case FrameType.Pong:
        if (end - start > maxPingBytes) return this.#breach('a PONG that is too long');
        return this.#handler.onPong(stream, buf, start, end);
      case FrameType.Open:
        if (!this.#isFromGateway) return this.#breach('OPEN from the backend');
        if (end - start > maxOpenBytes) return this.#breach('an OPEN that is too long');
        return this.#handler.onOpen(stream, buf, start, end);
      default:
        return this.#fromBackend(type, stream, buf, start, end);
    }
  }

  #fromBackend(type: number, stream: number, buf: Uint8Array, start: number, end: number): void {
    const known = type === FrameType.Accept || type === FrameType.Refuse || type === FrameType.GoAway;
    if (!known) return this.#breach('a frame of unknown type');
    if (this.#isFromGateway) return this.#breach('a frame that only backends send');
    if (type === FrameType.Accept) return this.#accept(stream, buf, start, end);
    if (type === FrameType.Refuse) return this.#refuse(stream, buf, start, end);
    if (stream !== 0 || start !== end) return this.#breach('a GOAWAY with a stream or payload');
    this.#handler.onGoAway();
  }

  #window(stream: number, buf: Uint8Array, start: number, end: number): void {
    const credit = this.#varint(buf, start, end, MAX_STREAM_VARINT);
    if (credit < 1 || credit > maxCredit || this.#at !== end)
      return this.#breach('a WINDOW without a credit');
    this.#handler.onWindow(stream, credit);
  }

  #close(stream: number, buf: Uint8Array, start: number, end: number): void {
    if (start === end) return this.#handler.onClose(stream, NO_CLOSE_CODE, '');
    const code = end - start === 1 ? 0 : uint16(buf, start);
    const isKnown = isWireCloseCode(code) || code === VANISHED_CODE;
    if (!isKnown || end - start - 2 > maxCloseReasonBytes || !isValidUtf8(buf, start + 2, end))
      return this.#breach('a CLOSE without a valid code and reason');
    this.#handler.onClose(stream, code, text(buf, start + 2, end));
  }

  #accept(stream: number, buf: Uint8Array, start: number, end: number): void {
    const window = this.#varint(buf, start, end, MAX_STREAM_VARINT);
    if (window < minWindow || window > maxCredit) return this.#breach('an ACCEPT without a valid window');
    if (!isValidUtf8(buf, this.#at, end)) return this.#breach('an ACCEPT that is not UTF-8');
    this.#handler.onAccept(stream, window, text(buf, this.#at, end));
  }

  #refuse(stream: number, buf: Uint8Array, start: number, end: number): void {
    if (end - start < 2 || !isValidUtf8(buf, start + 2, end))
      return this.#breach('a REFUSE without a status and reason');
    this.#handler.onRefuse(stream, uint16(buf, start), text(buf, start + 2, end));
  }

  /** The number at `at`, in at most `maxBytes` and in no more than it needs, or WRONG; `#at` is then behind it. */
  #varint(buf: Uint8Array, at: number, end: number, maxBytes: number): number {
    let value = 0;
    let unit = 1;
    const last = Math.min(end, at + maxBytes);
    for (let i = at; i < last; i++) {
      const byte = buf[i]!;
      value += (byte & 0x7f) * unit;
      unit *= 128;
      if (byte > 0x7f) continue;
      this.#at = i + 1;
      return byte === 0 && i > at ? WRONG : value;
    }
    return WRONG;
  }

  #breach(problem: string): void {
    if (this.#stopped) return;
    this.stop();
    this.#handler.onBreach(problem);
  }
}

function uint16(buf: Uint8Array, at: number): number {
  return (buf[at]! << 8) | buf[at + 1]!;
}

function text(buf: Uint8Array, start: number, end: number): string {
  return start === end ? '' : Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString();
}
