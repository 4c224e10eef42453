/** The frames of docs/mux-protocol.md once more, written from that page alone: what the product makes of it is tested against this. */

export interface MuxFrame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const MUX = {
  open: 0x01,
  accept: 0x02,
  refuse: 0x03,
  close: 0x04,
  window: 0x05,
  ping: 0x06,
  pong: 0x07,
  goAway: 0x08,
  text: 0x10,
  binary: 0x11,
  textPart: 0x12,
  binaryPart: 0x13,
} as const;

/** An unsigned LEB128. */
export function leb128(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

/** One frame in bytes. */
export function muxFrame(type: number, stream: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload);
  return Buffer.concat([Buffer.of(type), leb128(stream), leb128(bytes.length), bytes]);
}

/** An OPEN; `more` goes over what is usual. */
export function openFrame(stream: number, more: Readonly<Record<string, unknown>> = {}): Buffer {
  const usual = { path: '/ws', headers: [], address: '127.0.0.1', protocols: [], window: 262_144 };
  return muxFrame(MUX.open, stream, JSON.stringify({ ...usual, ...more }));
}

/** A CLOSE; empty without a code. */
export function closeFrame(stream: number, code?: number, reason = ''): Buffer {
  if (code === undefined) return muxFrame(MUX.close, stream);
  return muxFrame(MUX.close, stream, Buffer.concat([Buffer.of(code >> 8, code & 255), Buffer.from(reason)]));
}

/** The frames of one message. Throws where it breaks a rule of the page. */
export function parseMuxFrames(message: Buffer): MuxFrame[] {
  if (message.length > 1_048_576) throw new Error(`a message of ${message.length} bytes`);
  const frames: MuxFrame[] = [];
  let at = 0;
  const number = (mostBytes: number): number => {
    let value = 0n;
    for (let count = 0; count < mostBytes; count++) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('a frame that is cut off');
      value |= BigInt(byte & 127) << BigInt(7 * count);
      if (byte < 128 && byte === 0 && count > 0) throw new Error('a varint that is too long');
      if (byte < 128) return Number(value);
    }
    throw new Error('a varint that is too long');
  };
  while (at < message.length) {
    const type = message[at++]!;
    const stream = number(5);
    const length = number(4);
    if (at + length > message.length) throw new Error('a frame that is cut off');
    const isData = type >= MUX.text && type <= MUX.binaryPart;
    if (isData && length > 65_536) throw new Error(`a part of ${length} bytes`);
    frames.push({ type, stream, payload: message.subarray(at, at + length) });
    at += length;
  }
  return frames;
}

/** The number that a payload begins with, and where it ends. */
export function readLeb128(payload: Buffer): readonly [value: number, end: number] {
  const end = payload.findIndex((byte) => byte < 128) + 1;
  return [payload.subarray(0, end).reduceRight((sum, byte) => sum * 128 + (byte & 127), 0), end];
}
