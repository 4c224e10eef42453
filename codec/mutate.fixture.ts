import { noise, type Random } from './messages.fixture.ts';

/** A valid message with up to eight changes; of 16, one is left as it is and one is noise behind a valid start. */
export function mutated(message: Buffer, other: Buffer, random: Random): Buffer {
  const kind = Math.floor(random() * 16);
  if (kind === 0) return message;
  if (kind === 1) return Buffer.concat([message.subarray(0, random() * 16), noise(random() * 300, random)]);
  let bytes: Buffer = Buffer.from(message);
  const changes = 1 + Math.floor(random() * 8);
  for (let change = 0; change < changes; change++) bytes = changed(bytes, other, random);
  return bytes;
}

function changed(bytes: Buffer, other: Buffer, random: Random): Buffer {
  // Half of the changes hit the headers.
  const at = Math.floor(random() * (random() < 0.5 ? Math.min(bytes.length, 24) : bytes.length));
  const length = Math.floor(random() * 40);
  switch (Math.floor(random() * 8)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), noise(length, random), bytes.subarray(at)]);
    case 3:
      return Buffer.concat([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), other.subarray(random() * other.length)]);
    case 5:
      return Buffer.concat([bytes, other]);
    case 6:
      return bytes.fill(random() < 0.5 ? 0 : 255, at, Math.min(at + (length % 4) + 1, bytes.length));
    default:
      if (bytes.length > 0) bytes[at]! ^= 1 << Math.floor(random() * 8);
      return bytes;
  }
}
