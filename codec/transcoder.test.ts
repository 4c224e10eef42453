import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageCodec, zeroCodecBytes } from './message-codec.ts';
import { ToyCodec } from './toy-codec.fixture.ts';
import { Transcoder, type TranscoderContext, type TranscoderLimits } from './transcoder.ts';
import { newTranscoding, wideLimits } from './transcoding.fixture.ts';

/** A connection that notes what it is given. */
class World {
  readonly toy = new ToyCodec();
  readonly bugs: unknown[] = [];
  readonly bytes = zeroCodecBytes();
  onDecoded: () => void = () => undefined;
  readonly encoded: string[] = [];
  readonly decoded: string[] = [];
  readonly faults: string[] = [];
  onFault: () => void = () => undefined;
  readonly context: TranscoderContext;
  readonly transcoder: Transcoder;

  constructor(limits: Partial<TranscoderContext> = {}, bounds: Partial<TranscoderLimits> = {}) {
    this.context = newTranscoding((bug) => this.bugs.push(bug), limits);
    const codec = new MessageCodec({
      codec: this.toy,
      minBytes: 4,
      maxDecodedBytes: 1_000,
      bytes: this.bytes,
    });
    const note = (list: string[]) => (bytes: Uint8Array, isBinary: boolean) =>
      void list.push((isBinary ? 'b:' : 't:') + Buffer.from(bytes).toString());
    this.transcoder = new Transcoder(
      codec,
      this.context,
      { ...wideLimits, ...bounds },
      {
        onEncoded: note(this.encoded),
        onDecoded: (bytes, isBinary) => {
          note(this.decoded)(bytes, isBinary);
          this.onDecoded();
        },
        onCodecFault: (fault) => {
          this.faults.push(fault);
          this.onFault();
        },
      },
    );
  }

  encode(text: string): void {
    const bytes = Buffer.from(text);
    this.transcoder.encode(bytes, false);
    bytes.fill(0);
  }

  decode(wire: string, isBinary = true): void {
    const bytes = Buffer.from(wire);
    this.transcoder.decode(bytes, isBinary);
    bytes.fill(0);
  }

  async finish(): Promise<void> {
    while (this.toy.waiting > 0) await this.toy.work();
  }
}

const large = 'l'.repeat(100);

describe('messages for the wire', () => {
  it('go at once while they are small', () => {
    const world = new World();
    world.encode('aaaaaaaa');
    world.encode('ab');
    expect(world.encoded).toEqual(['b:\x03a8;', 't:ab']);
    expect(world.transcoder.busy).toBe(false);
  });

  it('keep their order behind one that is in the thread pool', async () => {
    const world = new World();
    world.encode(large);
    world.encode('ab');
    world.encode('aaaaaaaa');
    expect(world.encoded).toEqual([]);
    expect(world.transcoder.busy).toBe(true);
    await world.finish();
    expect(world.encoded).toEqual(['b:\x03l100;', 't:ab', 'b:\x03a8;']);
    expect(world.transcoder.busy).toBe(false);
    expect(world.context.pendingBytes).toBe(0);
    world.encode('ab');
    expect(world.encoded).toHaveLength(4);
  });

  it('go out uncompressed, in their order, once too much waits behind one in the thread pool', async () => {
    const world = new World({}, { maxEncodingBytes: 1_200 });
    world.encode(large);
    world.encode('aaaaaaaa');
    expect(world.encoded).toEqual([]);
    world.encode('b'.repeat(90));
    expect(world.encoded).toEqual([`t:${large}`, 't:aaaaaaaa', `t:${'b'.repeat(90)}`]);
    world.encode(large);
    await world.finish();
    expect(world.encoded.slice(3)).toEqual(['b:\x03l100;']);
    expect([world.faults, world.context.pendingBytes]).toEqual([[], 0]);
  });

  it('may be of any size while nothing else waits', async () => {
    const world = new World({}, { maxEncodingBytes: 50 });
    world.encode(large);
    await world.finish();
    expect(world.encoded).toEqual(['b:\x03l100;']);
  });
});

describe('messages from the wire', () => {
  it('are unpacked at once while they are small, and texts pass', () => {
    const world = new World();
    world.decode('\x03a3;');
    world.decode('\x01a3;');
    world.decode('plain', false);
    expect(world.decoded).toEqual(['t:aaa', 'b:aaa', 't:plain']);
  });

  it('keep their order behind one that is in the thread pool, texts included', async () => {
    const world = new World();
    world.decode('\x03S3;');
    world.decode('plain', false);
    world.decode('\x01a3;');
    await world.finish();
    expect(world.decoded).toEqual(['t:SSS', 't:plain', 'b:aaa']);
  });

  it.each([
    ['\x01garbage', 'undecodable'],
    ['\x01a1001;', 'decoded-too-big'],
    ['\x01Sarbage', 'undecodable'],
    ['\x01S1001;', 'decoded-too-big'],
  ])('%j ends the connection once, after what came before and before what came after', async (bad, fault) => {
    const world = new World();
    world.decode('\x03S3;');
    world.decode(bad);
    world.decode('\x01a3;');
    world.decode(bad);
    await world.finish();
    expect(world.decoded).toEqual(['t:SSS']);
    expect(world.faults).toEqual([fault]);
    expect(world.context.pendingBytes).toBe(0);
  });
});

describe('what waits', () => {
  it('is bounded for one direction of a connection', () => {
    const world = new World({}, { maxDecodingBytes: 3_000 });
    world.decode('\x03S3;');
    for (let i = 0; i < 10; i++) world.decode('t'.repeat(50), false);
    expect(world.faults).toEqual(['codec-behind']);
    expect(world.transcoder.busy).toBe(false);
    expect(world.context.pendingBytes).toBe(0);
  });

  it('may be one message of any size, even when all connections together hold too much', async () => {
    const hog = new World({ maxTotalPendingBytes: 2_000 }, { maxDecodingBytes: 16_000 });
    const codec = new MessageCodec({
      codec: hog.toy,
      minBytes: 4,
      maxDecodedBytes: 1_000,
      bytes: zeroCodecBytes(),
    });
    const decoded: string[] = [];
    const modest = new Transcoder(
      codec,
      hog.context,
      { ...wideLimits, maxDecodingBytes: 16_000 },
      {
        onEncoded: () => undefined,
        onDecoded: (bytes) => decoded.push(Buffer.from(bytes).toString()),
        onCodecFault: (fault) => decoded.push(fault),
      },
    );
    hog.decode('\x03S3;');
    hog.decode('\x03S4;');
    hog.decode('\x03S5;');
    modest.decode(Buffer.from('\x03S6;'), true);
    hog.decode('\x03S7;');
    while (hog.toy.waiting > 0) await hog.toy.work();
    expect(hog.faults).toEqual(['codec-behind']);
    expect(decoded).toEqual(['SSSSSS']);
    expect(hog.context.pendingBytes).toBe(0);
  });

  it('is let go when nobody needs it any more, and whoever waits for the end is told', async () => {
    const turns: (() => Promise<unknown>)[] = [];
    const world = new World({
      runInPool: <T>(job: () => Promise<T>) =>
        new Promise<T>((resolve, reject) => {
          turns.push(() => job().then(resolve, reject));
        }),
    });
    const ends: string[] = [];
    world.encode(large);
    world.decode('\x03S3;');
    world.transcoder.afterEncoding(() => ends.push('encoding'));
    world.transcoder.afterDecoding(() => ends.push('decoding'));
    world.transcoder.stopEncoding();
    world.transcoder.stopDecoding();
    expect(ends).toEqual(['encoding', 'decoding']);
    expect(world.context.pendingBytes).toBe(0);
    for (const turn of turns) await turn();
    expect(world.toy.waiting).toBe(0);
    expect([...world.encoded, ...world.decoded, ...world.faults]).toEqual([]);
  });

  it('comes before whatever is to happen after it', async () => {
    const world = new World();
    const order: string[] = [];
    world.transcoder.afterEncoding(() => order.push('nothing waited'));
    world.encode(large);
    world.transcoder.afterEncoding(() => order.push(`after ${world.encoded.length}`));
    expect(order).toEqual(['nothing waited']);
    await world.finish();
    expect(order).toEqual(['nothing waited', 'after 1']);
  });
});

it('shows what waits behind a message that cannot be packed to whoever is told of it', async () => {
  const world = new World();
  const shown: string[] = [];
  world.onFault = () => world.transcoder.visitWaiting((bytes) => shown.push(Buffer.from(bytes).toString()));
  world.toy.encodeInPool = () => Promise.reject(new Error('bug: broken'));
  world.encode(large);
  world.encode('behind');
  await new Promise((resolve) => setImmediate(resolve));
  expect([shown, world.context.pendingBytes]).toEqual([['behind'], 0]);
});

it('reports a bug and ends that connection alone', async () => {
  const world = new World();
  world.toy.encodeInPool = () => Promise.reject(new Error('bug: broken'));
  world.encode(large);
  await new Promise((resolve) => setImmediate(resolve));
  expect(world.bugs).toHaveLength(1);
  expect(world.faults).toEqual(['undecodable']);
});

it('hands everything on in order and exactly once, whatever is slow and whenever the pool gets it done', async () => {
  const step = fc.oneof(
    fc.record({ encode: fc.constantFrom(1, 3, 50, 100, 400) }),
    fc.record({ decode: fc.constantFrom('s', 'S') }),
    fc.constant('work' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      const sent: string[] = [];
      const received: string[] = [];
      let n = 0;
      for (const step of steps) {
        if (step === 'work') {
          if (world.toy.waiting > 0) await world.toy.work();
        } else if ('encode' in step) {
          const text = `${'x'.repeat(step.encode)}${n++}`;
          sent.push(text);
          world.encode(text);
        } else {
          received.push(`b:${step.decode.repeat((n++ % 7) + 1)}`);
          world.decode(`\x01${step.decode}${((n - 1) % 7) + 1};`);
        }
      }
      await world.finish();
      const back = world.encoded.map((wire) =>
        wire.startsWith('t:')
          ? wire.slice(2)
          : Buffer.from(world.toy.decode(Buffer.from(wire.slice(3)), 1_000)).toString(),
      );
      expect(back).toEqual(sent);
      expect(world.decoded).toEqual(received);
      expect(world.context.pendingBytes).toBe(0);
      expect(world.faults).toEqual([]);
    }),
  );
});

it('lets small messages wait behind one that takes all the room by itself', async () => {
  const world = new World({}, { maxDecodingBytes: 2_000 });
  world.decode(`\x03S1;${'S1;'.repeat(900)}`);
  world.decode('hello', false);
  world.decode('hello', false);
  await world.finish();
  expect(world.decoded.map((text) => text.length)).toEqual([903, 7, 7]);
  expect(world.faults).toEqual([]);
});

it('counts a message once, also when it goes out before the thread pool is done with it', async () => {
  const world = new World({}, { maxEncodingBytes: 800 });
  for (let i = 0; i < 3; i++) world.encode(large);
  await world.finish();
  expect(world.encoded).toHaveLength(3);
  expect(world.bytes).toMatchObject({ encodedPlain: 300, encodedPacked: 300 });
});

it('leaves what its owner throws to whoever gave it the message', () => {
  const world = new World();
  world.onDecoded = () => {
    throw new Error('bug of the owner');
  };
  expect(() => world.decode('\x01a3;')).toThrow('bug of the owner');
  expect(world.faults).toEqual([]);
});

it('sends a text as text to everybody when packing makes it no smaller', async () => {
  const world = new World();
  const text = Array.from({ length: 60 }, (_, i) => String.fromCharCode(48 + (i % 60))).join('');
  for (let i = 0; i < 3; i++) world.encode(text.repeat(2));
  await world.finish();
  expect(world.encoded).toEqual(Array<string>(3).fill(`t:${text.repeat(2)}`));
});

it('lets others have their turn when a few bytes unpack to many, and keeps the order', async () => {
  const world = new World({}, { maxDecodingBytes: 1 << 25 });
  const counts: number[] = [];
  for (let i = 0; i < 20_000; i++) world.decode(`\x01a${(i % 900) + 100};`);
  while (world.transcoder.busy) {
    counts.push(world.decoded.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const steps = counts.map((count, i) => count - (counts[i - 1] ?? 0));
  expect(Math.max(...steps)).toBeLessThan(10_000);
  expect(world.decoded.map((text) => text.length - 2)).toEqual(
    Array.from({ length: 20_000 }, (_, i) => (i % 900) + 100),
  );
});

it('shows what it packed itself, however large, and what waits', () => {
  const world = new World();
  const shown: string[] = [];
  const show = (bytes: Uint8Array, isBinary: boolean) =>
    void shown.push(`${isBinary ? 'b' : 't'}:${bytes.length}`);
  world.encode('a'.repeat(50));
  world.transcoder.unpack(Buffer.from('\x03a5000;'), true, show);
  world.transcoder.unpack(Buffer.from('plain'), false, show);
  world.encode(large);
  world.encode('ab');
  world.transcoder.visitWaiting(show);
  expect(shown).toEqual(['t:5000', 't:5', 't:100', 't:2']);
});
