import { Buffer } from 'node:buffer';
import type { MuxFrameHandler } from './frame-reader.ts';

/** The bytes of a number, in more than it needs where that is asked for. */
export function varint(value: number, minBytes = 1): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(rest % 128);
    rest = Math.floor(rest / 128);
  } while (rest > 0 || bytes.length < minBytes);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}

/** A frame as docs/mux-protocol.md draws it. */
export function muxFrame(type: number, stream: number, payload: Uint8Array | string = ''): Buffer {
  const body = Buffer.from(payload as Uint8Array);
  return Buffer.concat([Buffer.from([type]), varint(stream), varint(body.length), body]);
}

export function uint16(value: number, rest: Uint8Array | string = ''): Buffer {
  return Buffer.concat([Buffer.from([value >> 8, value & 0xff]), Buffer.from(rest as Uint8Array)]);
}

/** What a handler was told: a kind, the stream, then payloads in hex. */
export type MuxEvent = readonly [kind: string, ...rest: readonly (string | number | boolean)[]];

/** Keeps a copy of everything it is told. */
export class MuxRecorder implements MuxFrameHandler {
  readonly events: MuxEvent[] = [];

  onData(
    stream: number,
    buf: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void {
    this.events.push(['data', stream, hex(buf, start, end), isBinary, isLast]);
  }

  onWindow(stream: number, credit: number): void {
    this.events.push(['window', stream, credit]);
  }

  onClose(stream: number, code: number, reason: string): void {
    this.events.push(['close', stream, code, reason]);
  }

  onOpen(stream: number, buf: Uint8Array, start: number, end: number): void {
    this.events.push(['open', stream, hex(buf, start, end)]);
  }

  onAccept(stream: number, window: number, protocol: string): void {
    this.events.push(['accept', stream, window, protocol]);
  }

  onRefuse(stream: number, status: number, reason: string): void {
    this.events.push(['refuse', stream, status, reason]);
  }

  onPing(stream: number, buf: Uint8Array, start: number, end: number): void {
    this.events.push(['ping', stream, hex(buf, start, end)]);
  }

  onPong(stream: number, buf: Uint8Array, start: number, end: number): void {
    this.events.push(['pong', stream, hex(buf, start, end)]);
  }

  onGoAway(): void {
    this.events.push(['goaway']);
  }

  onBreach(problem: string): void {
    this.events.push(['breach', problem]);
  }
}

export function hex(buf: Uint8Array, start: number, end: number): string {
  return Buffer.from(buf.subarray(start, end)).toString('hex');
}
