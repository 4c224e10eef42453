import { isUtf8 } from 'node:buffer';
import type { FrameHandler } from './reader.ts';

export interface FrameParts {
  readonly opcode: number;
  readonly payload?: Uint8Array | string;
  readonly isLast?: boolean;
  /** Added to the first byte: 0x40, 0x20 and 0x10 are the reserved bits. */
  readonly reserved?: number;
  readonly masked?: boolean;
}

/** The bytes of a frame as a server writes it, with faults where they are asked for. */
export function frame(parts: FrameParts): Buffer {
  const { opcode, payload = '', isLast = true, reserved = 0, masked = false } = parts;
  const body = Buffer.from(payload as Uint8Array);
  const first = (isLast ? 0x80 : 0) | reserved | opcode;
  const mask = masked ? 0x80 : 0;
  const key = masked ? [0, 0, 0, 0] : [];
  if (body.length < 126) return Buffer.from([first, mask | body.length, ...key, ...body]);
  const header = Buffer.alloc(body.length > 0xffff ? 10 : 4);
  header[0] = first;
  header[1] = mask | (body.length > 0xffff ? 127 : 126);
  if (body.length > 0xffff) header.writeBigUInt64BE(BigInt(body.length), 2);
  else header.writeUInt16BE(body.length, 2);
  return Buffer.concat([header, Buffer.from(key), body]);
}

/** Payload of a close frame. */
export function closePayload(code: number, reason: string | Uint8Array = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason as Uint8Array)]);
}

/** What a handler was told: a kind, then the payload in hex, the close code and reason, or the fault's code. */
export type WireEvent = readonly [kind: string, ...rest: readonly (string | number)[]];

/** Keeps a copy of everything it is told. */
export class Recorder implements FrameHandler {
  readonly events: WireEvent[] = [];
  faultMessage = '';

  onMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.events.push([isBinary ? 'binary' : 'text', hex(buf, start, end)]);
  }

  onPing(buf: Uint8Array, start: number, end: number): void {
    this.events.push(['ping', hex(buf, start, end)]);
  }

  onPong(buf: Uint8Array, start: number, end: number): void {
    this.events.push(['pong', hex(buf, start, end)]);
  }

  onClose(code: number, reason: string): void {
    this.events.push(['close', code, reason]);
  }

  onFault(code: number, message: string): void {
    this.events.push(['fault', code]);
    this.faultMessage = message;
  }
}

export interface ReferenceLimits {
  readonly maxMessageBytes: number;
  readonly maxFragments: number;
}

/** What a reader must tell about these bytes: RFC 6455 section 5 written plainly, with the whole input at hand. */
export function referenceEvents(
  bytes: Buffer,
  { maxMessageBytes, maxFragments }: ReferenceLimits,
): WireEvent[] {
  const events: WireEvent[] = [];
  let parts: Buffer[] = [];
  let type = '';
  let at = 0;
  while (bytes.length - at >= 2) {
    const isLast = bytes[at]! >= 0x80;
    const opcode = bytes[at]! & 15;
    const short = bytes[at + 1]! & 127;
    const isControl = opcode >= 8;
    const wrong =
      (bytes[at]! & 0x70) !== 0 ||
      bytes[at + 1]! >= 0x80 ||
      ![0, 1, 2, 8, 9, 10].includes(opcode) ||
      (isControl && (!isLast || short > 125)) ||
      (!isControl && (opcode === 0) === (type === ''));
    if (wrong) return [...events, ['fault', 1002]];
    const header = short === 127 ? 10 : short === 126 ? 4 : 2;
    if (bytes.length - at < header) return events;
    const size =
      short === 127
        ? bytes.readBigUInt64BE(at + 2)
        : BigInt(short === 126 ? bytes.readUInt16BE(at + 2) : short);
    if (size >= 2n ** 63n) return [...events, ['fault', 1002]];
    const soFar = Buffer.concat(parts).length;
    if (!isControl && (size + BigInt(soFar) > BigInt(maxMessageBytes) || parts.length >= maxFragments)) {
      return [...events, ['fault', 1009]];
    }
    if (size > BigInt(bytes.length - at - header)) return events;
    const payload = bytes.subarray(at + header, at + header + Number(size));
    at += header + Number(size);
    if (opcode === 8) return [...events, referenceClose(payload)];
    if (isControl) {
      events.push([opcode === 9 ? 'ping' : 'pong', payload.toString('hex')]);
      continue;
    }
    if (opcode !== 0) type = opcode === 1 ? 'text' : 'binary';
    parts.push(payload);
    if (!isLast) continue;
    const message = Buffer.concat(parts);
    if (type === 'text' && !isUtf8(message)) return [...events, ['fault', 1007]];
    events.push([type, message.toString('hex')]);
    parts = [];
    type = '';
  }
  return events;
}

function referenceClose(payload: Buffer): WireEvent {
  if (payload.length === 0) return ['close', 1005, ''];
  const code = payload.length === 1 ? 0 : payload.readUInt16BE(0);
  const allowed = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
  if (!allowed.includes(code) && !(code >= 3000 && code < 5000)) return ['fault', 1002];
  const reason = payload.subarray(2);
  return isUtf8(reason) ? ['close', code, reason.toString()] : ['fault', 1007];
}

function hex(buf: Uint8Array, start: number, end: number): string {
  return Buffer.from(buf.subarray(start, end)).toString('hex');
}
