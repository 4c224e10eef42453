import { expect, it } from 'vitest';
import { CodecError } from './codec.ts';
import { fuzzTargets, type FuzzTarget } from './fuzz-targets.fixture.ts';
import { jsonMessage, seeded, type Random } from './messages.fixture.ts';
import { mutated } from './mutate.fixture.ts';

const seed = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000_000);
const seconds = Number(process.env['WSLUICE_FUZZ_SECONDS'] ?? 4);
const limits = [0, 1, 100, 1000, 65_535, 65_536, 1_048_576];
const targets = await fuzzTargets();

it.each(targets)(
  '$name ends in a message or a CodecError, whatever comes in',
  { timeout: seconds * 1000 + 60_000 },
  async (target) => {
    console.log(`seed of the fuzzer: ${seed} (set WSLUICE_TEST_SEED to repeat)`);
    const outcomes: Record<string, number> = {};
    const until = performance.now() + (seconds * 1000) / targets.length;
    let round = 0;
    for (; performance.now() < until; round++) {
      const outcome = await fuzz(target, seeded(seed + round), round % 16 === 0);
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    }
    console.log(`${target.name}, ${round} inputs:`, outcomes);
    expect(Object.keys(outcomes).toSorted()).toEqual(['decoded', 'too-big', 'undecodable']);
  },
);

/** One input, perhaps by both decoders; then a good message, which must come through. */
async function fuzz(
  { codec, messages, unpack }: FuzzTarget,
  random: Random,
  alsoInPool: boolean,
): Promise<string> {
  const input = mutated(pick(messages, random), pick(messages, random), random);
  const maxBytes = pick(limits, random);
  try {
    expect(codec.decodesSlowly(input)).toBeTypeOf('boolean');
    const result = await outcomeOf(() => codec.decode(input, maxBytes));
    if (alsoInPool) {
      const inPool = await outcomeOf(() => codec.decodeInPool(input, maxBytes));
      // What is both cut off and too big may be called either.
      expect(decodedOf(inPool)).toEqual(decodedOf(result));
    }
    const good = jsonMessage(200, random);
    expect(good.equals(codec.decode(Buffer.from(codec.encode(good)), 1000))).toBe(true);
    if (typeof result === 'string') return result;
    expect(result.length).toBeLessThanOrEqual(maxBytes);
    expect(result.equals(unpack(input))).toBe(true);
    return 'decoded';
  } catch (error) {
    const shown = input.toString('hex').slice(0, 4000);
    throw new Error(`at most ${maxBytes} bytes of ${shown}`, { cause: error });
  }
}

/** A copy of the result, or the fault; rethrows what is no CodecError. */
async function outcomeOf(decode: () => Uint8Array | Promise<Uint8Array>): Promise<Buffer | string> {
  try {
    return Buffer.from(await decode());
  } catch (error) {
    if (error instanceof CodecError) return error.fault;
    throw error;
  }
}

function decodedOf(outcome: Buffer | string): Buffer | undefined {
  return typeof outcome === 'string' ? undefined : outcome;
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[Math.floor(random() * items.length)]!;
}
