/** Returns the first frame in the bytes, a view; undefined while it is not complete. Throws for a masked one. */
export function frameAt(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined;
  const header = headerLength(bytes);
  if (bytes.length < header) return undefined;
  const end = header + payloadLength(bytes);
  return bytes.length < end ? undefined : bytes.subarray(0, end);
}

export const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;
const noStatus = 1_005;

/** Returns the opcode of a frame. */
export function opcodeOf(frame: Buffer): number {
  return frame[0]! & 0x0f;
}

/** Returns the payload of a whole frame, a view. */
export function payloadOf(frame: Buffer): Buffer {
  return frame.subarray(headerLength(frame));
}

/** Returns the code and the reason of a close frame's payload. */
export function describeClose(payload: Buffer): string {
  return payload.length < 2 ? 'no code' : `${closeCode(payload)} ${payload.toString('utf8', 2)}`.trim();
}

/** Returns the code of a close frame's payload; 1005 where it has none, as RFC 6455 (7.1.5) has it. */
export function closeCode(payload: Buffer): number {
  return payload.length < 2 ? noStatus : payload.readUInt16BE(0);
}

function headerLength(frame: Buffer): number {
  const short = frame[1]!;
  if (short > 127) throw new Error('wrong reply: a masked frame from the server');
  return short < 126 ? 2 : short === 126 ? 4 : 10;
}

function payloadLength(frame: Buffer): number {
  const short = frame[1]!;
  if (short < 126) return short;
  return short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
}
