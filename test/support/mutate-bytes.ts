import { noise } from './codec-messages.ts';

type Mutation = (bytes: Buffer, at: number, random: () => number, other: Buffer) => Buffer;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(bytes, at, random) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1 << Math.floor(random() * 8);
    return changed;
  },
  function setByte(bytes, at, random) {
    const changed = Buffer.from(bytes);
    changed[at] = [0, 1, 0x7f, 0x80, 0xff, Math.floor(random() * 256)][Math.floor(random() * 6)]!;
    return changed;
  },
  function insert(bytes, at, random) {
    return Buffer.concat([bytes.subarray(0, at), noise(1 + random() * 8, random), bytes.subarray(at)]);
  },
  function remove(bytes, at, random) {
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random() * 8)]);
  },
  function cut(bytes, at) {
    return bytes.subarray(0, at);
  },
  function repeat(bytes, at, random) {
    const end = at + 1 + Math.floor(random() * 64);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
  },
  function overwrite(bytes, at, random) {
    const changed = Buffer.from(bytes);
    noise(1 + random() * 8, random).copy(changed, at);
    return changed;
  },
  function graft(bytes, at, random, other) {
    return Buffer.concat([bytes.subarray(0, at), other.subarray(Math.floor(random() * other.length))]);
  },
  function append(bytes, _at, random, other) {
    return Buffer.concat([bytes, random() < 0.5 ? other : noise(1 + random() * 16, random)]);
  },
];

/** `bytes` with one to three damages, half of them within the first or the last 16 bytes, some with pieces of `other`. */
export function mutateBytes(bytes: Buffer, other: Buffer, random: () => number): Buffer {
  let mutated = bytes;
  for (let damages = 1 + Math.floor(random() * 3); damages > 0; damages--) {
    const mutation = MUTATIONS[Math.floor(random() * MUTATIONS.length)]!;
    mutated = mutation(mutated, placeIn(mutated.length, random), random, other);
  }
  return mutated;
}

function placeIn(length: number, random: () => number): number {
  const near = Math.min(16, length);
  const place = random();
  if (place < 0.35) return Math.floor(random() * near);
  if (place < 0.5) return Math.max(0, length - 1 - Math.floor(random() * near));
  return Math.floor(random() * length);
}
