import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError, type Codec, type CodecFault } from './codec.ts';
import { jsonMessage, noise, seeded } from './messages.fixture.ts';

type CreateCodec = () => Codec;
type Call = (input: Uint8Array) => Uint8Array;

/** Node's public calls for the same format. */
export interface NodeCalls {
  readonly pack: Call;
  readonly unpack: Call;
}

const random = seeded(1);
const plainMessages: Record<string, Buffer> = {
  'an empty message': Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  'a JSON message': jsonMessage(280, random),
  'text of many scripts': Buffer.from('naïve ☃ 漢字 🎉 \0 '.repeat(20)),
  noise: noise(1000, random),
  '10 KB': jsonMessage(10_240, random),
  'a buffer of output, exactly': noise(65_536, random),
  '300 KB': jsonMessage(300_000, random),
  '300 KB of noise': noise(300_000, random),
  '2 MB of zeros': Buffer.alloc(2_000_000),
};
const anyMessage = fc.oneof(
  fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'grapheme', maxLength: 500 }).map((text) => Buffer.from(text)),
  fc.tuple(fc.nat(20_000), fc.integer()).map(([bytes, seed]) => jsonMessage(bytes, seeded(seed))),
);

/** What every codec promises; each implementation's test calls this. */
export function describeCodec(name: string, create: CreateCodec): void {
  describe(`${name} keeps the contract of a codec`, () => {
    it.each(Object.entries(plainMessages))(
      'gives back %s, from both sides of the thread pool',
      async (_, plain) => {
        const codec = create();
        for (const packed of [copyOf(codec.encode(plain)), await codec.encodeInPool(plain)]) {
          expect(plain.equals(codec.decode(packed, plain.length))).toBe(true);
          expect(plain.equals(await codec.decodeInPool(packed, plain.length))).toBe(true);
        }
      },
    );

    it('takes views into larger memory, and changes nothing of it', async () => {
      const codec = create();
      const around = noise(5000, seeded(2));
      const before = copyOf(around);
      const plain = around.subarray(1001, 4001);
      for (const packed of [copyOf(codec.encode(plain)), await codec.encodeInPool(plain)]) {
        const within = Buffer.concat([around, packed, around]);
        const view = new Uint8Array(within.buffer, within.byteOffset + around.length, packed.length);
        expect(plain.equals(codec.decode(view, 3000))).toBe(true);
        expect(plain.equals(await codec.decodeInPool(view, 3000))).toBe(true);
        expect(within.equals(Buffer.concat([before, packed, before]))).toBe(true);
      }
    });

    it('packs what it unpacked, and leaves it as it was', () => {
      const codec = create();
      const plain = jsonMessage(70_000, seeded(7));
      const unpacked = codec.decode(copyOf(codec.encode(plain)), 100_000);
      const packed = copyOf(codec.encode(unpacked));
      expect(plain.equals(unpacked)).toBe(true);
      expect(plain.equals(codec.decode(packed, 100_000))).toBe(true);
    });

    it('packs and unpacks each message as if it were the first', () => {
      const codec = create();
      const steps = fc.array(fc.tuple(anyMessage, fc.constantFrom('whole', 'cut', 'spoilt', 'refused')), {
        maxLength: 10,
      });
      fc.assert(
        fc.property(steps, (all) => {
          for (const [plain, fate] of all) {
            const packed = copyOf(codec.encode(plain));
            expect(packed.equals(create().encode(plain))).toBe(true);
            if (fate === 'cut') attempt(() => codec.decode(packed.subarray(0, packed.length >> 1), 30_000));
            if (fate === 'spoilt') attempt(() => codec.decode(spoil(packed), 30_000));
            if (fate === 'refused') attempt(() => codec.decode(packed, plain.length - 1));
            expect(plain.equals(codec.decode(packed, plain.length))).toBe(true);
          }
        }),
        { numRuns: 30 },
      );
    });

    it.each([1, 2, 280, 65_535, 65_536, 300_000])(
      'refuses what has one byte more than %d',
      async (maxBytes) => {
        const codec = create();
        for (const plain of [
          jsonMessage(maxBytes, random),
          Buffer.alloc(maxBytes),
          noise(maxBytes, random),
        ]) {
          const fits = copyOf(codec.encode(plain.subarray(0, maxBytes)));
          const big = copyOf(codec.encode(Buffer.concat([plain.subarray(0, maxBytes), Buffer.from('!')])));
          expect(codec.decode(fits, maxBytes).length).toBeLessThanOrEqual(maxBytes);
          expect((await codec.decodeInPool(fits, maxBytes)).length).toBeLessThanOrEqual(maxBytes);
          if (plain.length >= maxBytes) await expectFault('too-big', codec, big, maxBytes);
        }
      },
    );

    it('works on several messages in the thread pool at once, and between them in this thread', async () => {
      const codec = create();
      const plain = Array.from({ length: 8 }, (_, i) => jsonMessage(40_000 + i * 1000, random));
      const jobs = plain.map(async (message) => {
        const packed = await codec.encodeInPool(message);
        const small = jsonMessage(100, random);
        expect(small.equals(codec.decode(copyOf(codec.encode(small)), 1000))).toBe(true);
        return codec.decodeInPool(packed, message.length);
      });
      const results = await Promise.all(jobs);
      expect(results.map((result, i) => plain[i]!.equals(result))).toEqual(plain.map(() => true));
    });
  });
}

/** What every codec promises that makes messages smaller. `node` makes and reads the same format. */
export function describeCompression(name: string, create: CreateCodec, node: NodeCalls): void {
  const message = jsonMessage(2000, random);

  describe(`${name} keeps the contract of a compression`, () => {
    it('makes text smaller', async () => {
      expect(create().encode(message).length).toBeLessThan(message.length / 2);
      expect((await create().encodeInPool(message)).length).toBeLessThan(message.length / 2);
    });

    it.each(Object.entries(plainMessages))('understands Node, and Node it: %s', async (_, plain) => {
      const codec = create();
      expect(plain.equals(codec.decode(node.pack(plain), plain.length))).toBe(true);
      expect(plain.equals(await codec.decodeInPool(node.pack(plain), plain.length))).toBe(true);
      expect(plain.equals(node.unpack(codec.encode(plain)))).toBe(true);
      expect(plain.equals(node.unpack(await codec.encodeInPool(plain)))).toBe(true);
    });

    it('refuses nothing, garbage and plain text', async () => {
      for (const bad of [Buffer.alloc(0), Buffer.from('{"jsonrpc":"2.0"}'), noise(500, seeded(3))])
        await expectFault('undecodable', create(), bad, 1_000_000);
    });

    it('refuses a message cut off anywhere', async () => {
      const codec = create();
      for (const plain of [Buffer.from('hi'), jsonMessage(300, seeded(4)), noise(300, seeded(5))]) {
        const packed = node.pack(plain);
        for (let end = 0; end < packed.length; end++) {
          expect(
            attempt(() => codec.decode(packed.subarray(0, end), 1000)),
            `${end} bytes`,
          ).toBe('undecodable');
        }
        await expectFault('undecodable', codec, packed.subarray(0, -1), 1000);
      }
    });

    it('refuses a message that something follows', async () => {
      const packed = node.pack(message);
      for (const after of [
        Buffer.alloc(1),
        Buffer.alloc(20),
        Buffer.from('x'),
        node.pack(Buffer.alloc(0)),
        packed,
      ])
        await expectFault('undecodable', create(), Buffer.concat([packed, after]), 1_000_000);
    });

    it('refuses a message that follows an empty one', async () => {
      const both = Buffer.concat([node.pack(Buffer.alloc(0)), node.pack(message)]);
      await expectFault('undecodable', create(), both, 1_000_000);
    });

    it('refuses 10 MB of zeros, in either thread', async () => {
      await expectFault('too-big', create(), node.pack(Buffer.alloc(10_000_000)), 1_048_576);
    });

    it('unpacks one layer only', () => {
      const inner = copyOf(node.pack(Buffer.alloc(10_000_000)));
      expect(inner.equals(create().decode(node.pack(inner), 1_048_576))).toBe(true);
    });

    it('says of large messages that unpacking is slow, and of small ones that it is not', () => {
      const codec = create();
      expect(codec.decodesSlowly(copyOf(codec.encode(message)))).toBe(false);
      expect(codec.decodesSlowly(node.pack(Buffer.alloc(1_000_000)))).toBe(true);
      for (const bad of [Buffer.alloc(0), Buffer.from('x'), noise(500, seeded(6))])
        expect(codec.decodesSlowly(bad)).toBeTypeOf('boolean');
    });
  });
}

/** Expects this fault of both decoders, and that the codec goes on as before. */
export async function expectFault(fault: CodecFault, codec: Codec, packed: Uint8Array, maxBytes: number) {
  const good = Buffer.from('{"still":"good"}');
  expect(attempt(() => codec.decode(packed, maxBytes))).toBe(fault);
  expect(good.equals(codec.decode(copyOf(codec.encode(good)), 100))).toBe(true);
  await expect(codec.decodeInPool(packed, maxBytes)).rejects.toThrow(expect.objectContaining({ fault }));
}

/** The fault with which a call ends; undefined if it returns. Rethrows what is not a CodecError. */
export function attempt(call: () => unknown): CodecFault | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof CodecError) return error.fault;
    throw error;
  }
}

function spoil(packed: Buffer): Buffer {
  const spoilt = Buffer.from(packed);
  for (let i = spoilt.length >> 1; i < spoilt.length; i += 3) spoilt[i]! ^= 0x55;
  return spoilt;
}

function copyOf(view: Uint8Array): Buffer {
  return Buffer.from(view);
}
