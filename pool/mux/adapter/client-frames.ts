import { Opcode } from '../../wire/opcode.ts';

const FIN = 0x80;
const MASKED = 0x80;
const NONE = new Uint8Array(0);

/**
 * One frame as a client sends it (RFC 6455 section 5.2), in memory of its own. The key is zero, which leaves the payload
 * as it is: this frame never leaves the process.
 */
export function clientFrame(
  opcode: number,
  isLast: boolean,
  src: Uint8Array = NONE,
  start = 0,
  end = src.length,
): Buffer {
  const size = end - start;
  const payload = size <= 125 ? 6 : size <= 0xffff ? 8 : 14;
  const frame = Buffer.allocUnsafe(payload + size);
  frame[0] = isLast ? FIN | opcode : opcode;
  if (size <= 125) {
    frame[1] = MASKED | size;
  } else if (size <= 0xffff) {
    frame[1] = MASKED | 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = MASKED | 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(size, 6);
  }
  frame.fill(0, payload - 4, payload);
  frame.set(src.subarray(start, end), payload);
  return frame;
}

/** A close frame; an empty one for 1005, which is never on the wire. */
export function clientCloseFrame(code: number, reason: string): Buffer {
  if (code === 1005) return clientFrame(Opcode.Close, true);
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return clientFrame(Opcode.Close, true, payload);
}
