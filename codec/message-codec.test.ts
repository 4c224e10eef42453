import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodecError } from './codec.ts';
import { carriesText } from './flags.ts';
import { MessageCodec, zeroCodecBytes } from './message-codec.ts';
import { ToyCodec } from './toy-codec.fixture.ts';

function create({ minBytes = 4, maxDecodedBytes = 1_000 } = {}) {
  const toy = new ToyCodec();
  const bytes = zeroCodecBytes();
  return { toy, bytes, codec: new MessageCodec({ codec: toy, minBytes, maxDecodedBytes, bytes }) };
}

const compressible = Buffer.from('aaaaaaaabbbbbbbb');
const incompressible = Buffer.from('abcdefgh');

function faultOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    if (error instanceof CodecError) return error.fault;
  }
  return undefined;
}

describe('a message on its way out', () => {
  it('is packed behind a flag byte that says whether it is text', () => {
    const { codec } = create();
    expect(Buffer.from(codec.encode(compressible, false)).toString()).toBe('\x03a8;b8;');
    expect(Buffer.from(codec.encode(compressible, true)).toString()).toBe('\x01a8;b8;');
  });

  it('goes as it is where packing would not make it smaller', () => {
    const { codec } = create();
    expect(codec.encode(incompressible, false)).toBe(incompressible);
    expect(Buffer.from(codec.encode(incompressible, true)).toString()).toBe('\x00abcdefgh');
    // One byte is saved, and the flag byte takes it.
    const even = Buffer.from('aaaabc');
    expect(codec.encode(even, false)).toBe(even);
  });

  it('is not even tried below minBytes', () => {
    const { codec, toy } = create({ minBytes: 17 });
    expect(codec.encode(compressible, false)).toBe(compressible);
    expect(codec.encode(compressible, true)[0]).toBe(0);
    expect(codec.encodesSlowly(Buffer.alloc(16))).toBe(false);
    expect(toy.encoded).toBe(0);
  });

  it('is packed once however many clients it goes to, and again when it differs in one byte or in kind', async () => {
    const { codec, toy } = create();
    const text = Buffer.alloc(600, 'a');
    const other = Buffer.from(text);
    other[599] = 98;
    for (let i = 0; i < 10; i++) codec.encode(text, false);
    expect(toy.encoded).toBe(1);
    expect(Buffer.from(codec.encode(other, false)).toString()).toBe('\x03a599;b1;');
    expect(codec.encode(text, true)[0]).toBe(1);
    expect(Buffer.from(codec.encode(text, false)).toString()).toBe('\x03a600;');
    expect(toy.encoded).toBe(3);
    const jobs = [1, 2, 3].map(() => codec.encodeInPool(Buffer.alloc(5_000, 'c'), false));
    const different = codec.encodeInPool(Buffer.alloc(5_000, 'd'), false);
    await toy.work();
    await toy.work();
    expect((await Promise.all(jobs)).map((wire) => Buffer.from(wire).toString())).toEqual(
      Array<string>(3).fill('\x03c5000;'),
    );
    expect(Buffer.from(await different).toString()).toBe('\x03d5000;');
    expect(toy.encoded).toBe(5);
  });

  it('is never mixed up with another, however many come in between', () => {
    const { codec } = create({ minBytes: 0, maxDecodedBytes: 10_000 });
    const message = fc.record({
      letter: fc.constantFrom('x', 'y', 'z'),
      length: fc.constantFrom(0, 3, 511, 512, 700, 701),
      isBinary: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 30 }), (messages) => {
        for (const { letter, length, isBinary } of messages) {
          const plain = Buffer.alloc(length, letter);
          const wire = codec.encode(plain, isBinary);
          if (wire === plain) continue;
          expect(Buffer.from(codec.decode(wire)).equals(plain)).toBe(true);
          expect(carriesText(wire)).toBe(!isBinary);
        }
      }),
    );
  });

  it('in the thread pool comes out the same', async () => {
    const { codec, toy } = create();
    for (const plain of [compressible, incompressible])
      for (const isBinary of [false, true]) {
        const job = codec.encodeInPool(plain, isBinary);
        await toy.work();
        expect(Buffer.from(await job).equals(codec.encode(plain, isBinary))).toBe(true);
      }
  });
});

describe('a message on its way in', () => {
  it.each([
    ['no flag byte', Buffer.alloc(0)],
    ['an unknown flag', Buffer.from('\x04a3;')],
    ['the highest flag', Buffer.from([0x81, 97, 51, 59])],
    ['garbage behind the flag', Buffer.from('\x01garbage')],
    ['a text that is not UTF-8', Buffer.from([2, 0xc3, 0x28])],
    ['a packed text that is not UTF-8', Buffer.from('\x03\xff2;', 'latin1')],
  ])('with %s is undecodable, also in the thread pool', async (_, wire) => {
    const { codec, toy } = create();
    expect(faultOf(() => codec.decode(wire))).toBe('undecodable');
    const job = expect(codec.decodeInPool(wire)).rejects.toMatchObject({ fault: 'undecodable' });
    if (toy.waiting > 0) await toy.work();
    await job;
  });

  it('is what its flags say', () => {
    const { codec } = create();
    for (const [wire, plain] of [
      ['\x00abc', 'abc'],
      ['\x02abc', 'abc'],
      ['\x01a3;', 'aaa'],
      ['\x03a3;', 'aaa'],
      ['\x00', ''],
    ] as const)
      expect(Buffer.from(codec.decode(Buffer.from(wire))).toString()).toBe(plain);
  });

  it('may decode to maxDecodedBytes and not to one more, packed or not', () => {
    const { codec } = create({ maxDecodedBytes: 10 });
    expect(codec.decode(Buffer.from('\x01a10;'))).toHaveLength(10);
    expect(faultOf(() => codec.decode(Buffer.from('\x01a11;')))).toBe('too-big');
    expect(faultOf(() => codec.decode(Buffer.alloc(12)))).toBe('too-big');
  });
});

it('counts bytes before and after', () => {
  const { codec, bytes } = create();
  codec.encode(compressible, false);
  codec.encode(incompressible, true);
  codec.decode(Buffer.from('\x01a10;'));
  expect(bytes).toEqual({ encodedPlain: 24, encodedPacked: 16, decodedPacked: 5, decodedPlain: 10 });
});
