import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { closePayload, frame, Recorder, referenceEvents, type WireEvent } from './frames.fixture.ts';
import { FrameReader } from './reader.ts';

const limits = { maxMessageBytes: 100_000, maxFragments: 8 };
const hexOf = (text: string): string => Buffer.from(text).toString('hex');

/** What a reader tells when it gets the bytes in these chunks, through one memory that is overwritten after each push. */
function read(chunks: readonly Uint8Array[], { maxMessageBytes, maxFragments } = limits): WireEvent[] {
  const handler = new Recorder();
  const reader = new FrameReader({ handler, maxMessageBytes, maxFragments });
  const memory = Buffer.alloc(3 + Math.max(0, ...chunks.map((chunk) => chunk.length)));
  for (const chunk of chunks) {
    memory.set(chunk, 3);
    reader.push(memory, 3, 3 + chunk.length);
    memory.fill(0xff);
  }
  return handler.events;
}

/** The bytes in chunks that end at the given offsets. */
function split(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const ends = [...new Set(offsets.map((offset) => offset % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end));
}

const conversation = [
  frame({ opcode: 1, payload: 'hello' }),
  frame({ opcode: 2, payload: Buffer.from([0, 255, 128]) }),
  frame({ opcode: 9, payload: 'p' }),
  frame({ opcode: 1, payload: 'na', isLast: false }),
  frame({ opcode: 10 }),
  frame({ opcode: 0, payload: Buffer.from('ïve').subarray(0, 1), isLast: false }),
  frame({ opcode: 9, payload: 'q' }),
  frame({ opcode: 0, payload: Buffer.from('ïve').subarray(1) }),
  frame({ opcode: 1 }),
  frame({ opcode: 1, payload: 'x'.repeat(130) }),
  frame({ opcode: 2, isLast: false }),
  frame({ opcode: 0 }),
  frame({ opcode: 8, payload: closePayload(4001, 'bye €') }),
  frame({ opcode: 1, payload: 'after the close' }),
];
const conversationEvents = [
  ['text', hexOf('hello')],
  ['binary', '00ff80'],
  ['ping', hexOf('p')],
  ['pong', ''],
  ['ping', hexOf('q')],
  ['text', hexOf('naïve')],
  ['text', ''],
  ['text', hexOf('x'.repeat(130))],
  ['binary', ''],
  ['close', 4001, 'bye €'],
];

describe('FrameReader', () => {
  it('tells the same of a conversation split at any two bytes, and of one byte at a time', () => {
    const bytes = Buffer.concat(conversation);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second += 7) {
        expect(read(split(bytes, [first, second]))).toEqual(conversationEvents);
      }
    }
    expect(read([...bytes].map((byte) => Buffer.from([byte])))).toEqual(conversationEvents);
  });

  it('reads each form of length, split around its header', () => {
    for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 99_000]) {
      const payload = Buffer.alloc(size, 'abcdefg');
      const bytes = frame({ opcode: 2, payload });
      for (let at = 0; at <= 11; at++) {
        expect(read(split(bytes, [at])), `${size} bytes, split at ${at}`).toEqual([
          ['binary', payload.toString('hex')],
        ]);
      }
    }
  });

  it('agrees with a plain reference on random frames, good and bad, in random chunks', () => {
    const small = { maxMessageBytes: 300, maxFragments: 4 };
    const text = fc.string({ unit: 'grapheme', maxLength: 60 }).map((string) => Buffer.from(string));
    const payload = fc.oneof(
      { weight: 6, arbitrary: text },
      { weight: 2, arbitrary: fc.uint8Array({ maxLength: 12 }) },
      { weight: 1, arbitrary: fc.integer({ min: 100, max: 310 }).map((size) => Buffer.alloc(size, 'z')) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.integer({ min: 990, max: 5010 }), text).map((args) => closePayload(...args)),
      },
    );
    const parts = fc.record({
      opcode: fc.oneof(
        { weight: 40, arbitrary: fc.constantFrom(0, 0, 1, 1, 2, 9, 10) },
        { weight: 2, arbitrary: fc.constant(8) },
        { weight: 1, arbitrary: fc.integer({ min: 0, max: 15 }) },
      ),
      payload,
      isLast: fc.boolean(),
      reserved: fc.oneof({ weight: 60, arbitrary: fc.constant(0) }, fc.constantFrom(0x40, 0x20, 0x10)),
      masked: fc.oneof({ weight: 60, arbitrary: fc.constant(false) }, fc.constant(true)),
    });
    // Most random sequences end at once in a misplaced continuation; this mends them, most of the time.
    const frames = fc.tuple(fc.array(parts, { maxLength: 20 }), fc.boolean()).map(([list, mended]) => {
      let inside = false;
      return list.map((one) => {
        if (!mended || one.opcode > 2)
          return frame(one.opcode >= 8 && mended ? { ...one, isLast: true } : one);
        const opcode = inside ? 0 : one.opcode === 0 ? 1 : one.opcode;
        inside = !one.isLast;
        return frame({ ...one, opcode });
      });
    });
    const kinds = new Map<string, number>();
    fc.assert(
      fc.property(frames, fc.array(fc.nat(4000), { maxLength: 12 }), (list, offsets) => {
        const bytes = Buffer.concat(list);
        const expected = referenceEvents(bytes, small);
        for (const [kind, code] of expected) {
          const key = kind === 'fault' ? `fault ${code}` : kind;
          kinds.set(key, (kinds.get(key) ?? 0) + 1);
        }
        expect(read(split(bytes, offsets), small)).toEqual(expected);
      }),
      { numRuns: 2_000 },
    );
    for (const kind of [
      'text',
      'binary',
      'ping',
      'pong',
      'close',
      'fault 1002',
      'fault 1007',
      'fault 1009',
    ]) {
      expect(kinds.get(kind), kind).toBeGreaterThan(10);
    }
  });

  it('agrees with the reference on random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.nat(40)), (raw, offsets) => {
        const bytes = Buffer.from(raw);
        expect(read(split(bytes, offsets))).toEqual(referenceEvents(bytes, limits));
      }),
      { numRuns: 2_000 },
    );
  });
});

type Row = readonly [name: string, code: number, message: RegExp, bytes: Buffer];

describe('FrameReader faults', () => {
  const text = (payload: Uint8Array | string): Buffer => frame({ opcode: 1, payload });
  const start = frame({ opcode: 1, payload: 'a', isLast: false });
  const long = Buffer.alloc(200, 'a');
  const close = (payload: Uint8Array): Buffer => frame({ opcode: 8, payload });
  const announced = (hex: string): Buffer => Buffer.from(`827f${hex}`, 'hex');
  const rows: Row[] = [
    ['a masked frame', 1002, /masked/, frame({ opcode: 1, payload: 'a', masked: true })],
    ['the first reserved bit', 1002, /reserved/, frame({ opcode: 1, reserved: 0x40 })],
    ['the second reserved bit', 1002, /reserved/, frame({ opcode: 9, reserved: 0x20 })],
    ['the third reserved bit', 1002, /reserved/, frame({ opcode: 2, reserved: 0x10 })],
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): Row => [
      `opcode ${opcode}`,
      1002,
      /opcode/,
      frame({ opcode }),
    ]),
    ['a fragmented ping', 1002, /fragmented/, frame({ opcode: 9, isLast: false })],
    ['a fragmented close', 1002, /fragmented/, frame({ opcode: 8, isLast: false })],
    ['a ping of 126 bytes', 1002, /125/, frame({ opcode: 9, payload: Buffer.alloc(126) }).subarray(0, 2)],
    ['a ping with a 64-bit length', 1002, /125/, Buffer.from([0x89, 127])],
    ['a continuation of nothing', 1002, /continuation/, frame({ opcode: 0 })],
    ['a second start of a message', 1002, /inside/, Buffer.concat([start, text('b')])],
    ['a length with its highest bit set', 1002, /highest bit/, announced('8000000000000001')],
    ['the largest length there is', 1009, /too big/, announced('7fffffffffffffff')],
    ['a header that announces a byte too many', 1009, /too big/, announced('00000000000186a1')],
    [
      'fragments that announce a byte too many',
      1009,
      /too big/,
      Buffer.concat([
        frame({ opcode: 2, payload: Buffer.alloc(99_990), isLast: false }),
        frame({ opcode: 0, payload: Buffer.alloc(11) }).subarray(0, 2),
      ]),
    ],
    [
      'a fragment too many',
      1009,
      /fragments/,
      Buffer.concat([start, ...Array<Buffer>(8).fill(frame({ opcode: 0, isLast: false }))]),
    ],
    ['short text that is not UTF-8', 1007, /UTF-8/, text(Buffer.from([0x61, 0xc3, 0x28]))],
    ['long text that is not UTF-8', 1007, /UTF-8/, text(Buffer.concat([long, Buffer.from([0xff])]))],
    ['text that ends within a character', 1007, /UTF-8/, text(Buffer.from('€').subarray(0, 2))],
    [
      'fragments that are not UTF-8 together',
      1007,
      /UTF-8/,
      Buffer.concat([
        frame({ opcode: 1, payload: Buffer.from([0xe2, 0x82]), isLast: false }),
        frame({ opcode: 0, payload: 'x' }),
      ]),
    ],
    ['a close payload of one byte', 1002, /close/, close(Buffer.from([3]))],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535].map((code): Row => [
      `close code ${code}`,
      1002,
      /close/,
      close(closePayload(code)),
    ]),
    ['a close reason that is not UTF-8', 1007, /reason/, close(closePayload(1000, Buffer.from([0xff])))],
  ];

  it.each(rows)(
    'reports %s as soon as it is seen, whatever the chunks, and nothing after it',
    (_, code, message, bytes) => {
      for (let at = 0; at <= Math.min(bytes.length, 300); at++) {
        expect(read([...split(bytes, [at]), text('later')]).at(-1)).toEqual(['fault', code]);
      }
      const handler = new Recorder();
      const reader = new FrameReader({ handler, ...limits });
      reader.push(bytes, 0, bytes.length);
      expect(handler.events).toEqual([['fault', code]]);
      expect(handler.faultMessage).toMatch(message);
    },
  );

  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])(
    'accepts close code %i',
    (code) => expect(read([close(closePayload(code, 'ok'))])).toEqual([['close', code, 'ok']]),
  );

  it('tells 1005 for an empty close frame, also within a fragmented message', () => {
    expect(read([start, close(Buffer.alloc(0)), text('later')])).toEqual([['close', 1005, '']]);
  });

  it('accepts a message of exactly the limits', () => {
    const payload = Buffer.alloc(100_000, 'a');
    expect(read([text(payload)])).toEqual([['text', payload.toString('hex')]]);
    const rest = Array<Buffer>(6).fill(frame({ opcode: 0, payload: 'b', isLast: false }));
    expect(read([start, ...rest, frame({ opcode: 0, payload: 'c' })])).toEqual([['text', hexOf('abbbbbbc')]]);
  });
});

describe('FrameReader.stop', () => {
  it.each(['onMessage', 'onPing', 'onPong'] as const)('takes effect at once within %s', (name) => {
    const bytes = Buffer.concat([
      ...[1, 9, 10].map((opcode) => frame({ opcode, payload: 'x' })),
      frame({ opcode: 1, payload: 'x', isLast: false }),
      frame({ opcode: 0, payload: Buffer.from([0xff]) }),
    ]);
    for (let at = 0; at <= bytes.length; at++) {
      const handler = new Recorder();
      const reader = new FrameReader({ handler, ...limits });
      vi.spyOn(handler, name).mockImplementation(() => {
        handler.events.push([name]);
        reader.stop();
      });
      for (const chunk of split(bytes, [at])) reader.push(chunk, 0, chunk.length);
      expect(handler.events.findIndex(([kind]) => kind === name)).toBe(handler.events.length - 1);
    }
  });
});

describe('FrameReader memory', () => {
  /** Bytes allocated while each chunk was pushed. */
  function allocated(chunks: readonly Buffer[], handler = new Recorder()): number[] {
    const reader = new FrameReader({ handler, maxMessageBytes: 2 ** 21, maxFragments: 8 });
    return chunks.map((chunk) => {
      const spy = vi.spyOn(Buffer, 'allocUnsafe');
      reader.push(chunk, 0, chunk.length);
      const sum = spy.mock.calls.reduce((total, [size]) => total + size, 0);
      spy.mockRestore();
      return sum;
    });
  }

  it('hands out a complete frame as a part of its very chunk and allocates nothing for it', () => {
    const chunk = Buffer.concat(conversation.slice(0, 3));
    const given: Uint8Array[] = [];
    const handler = new Recorder();
    handler.onMessage = handler.onPing = (buf) => void given.push(buf);
    expect(allocated([chunk], handler)).toEqual([0]);
    expect(given).toHaveLength(3);
    for (const buf of given) expect(buf).toBe(chunk);
  });

  it('allocates by what has arrived, not by what the header announces', () => {
    const bytes = frame({ opcode: 2, payload: Buffer.alloc(2 ** 20) });
    expect(allocated([bytes.subarray(0, 1)])[0]).toBeLessThanOrEqual(10);
    expect(allocated([bytes.subarray(0, 20)])[0]).toBeLessThanOrEqual(256);
    expect(allocated([bytes.subarray(0, 5_000)])[0]).toBeLessThanOrEqual(4 * 5_000);
    expect(allocated([bytes.subarray(0, 5), bytes.subarray(5, 30)])[1]).toBeLessThanOrEqual(256);
  });

  it('copies a large frame in chunks hardly more than once', () => {
    const bytes = frame({ opcode: 2, payload: Buffer.alloc(2 ** 20) });
    const offsets = Array.from({ length: 16 }, (_, i) => (i + 1) * 65_536);
    const sum = allocated(split(bytes, offsets)).reduce((total, size) => total + size, 0);
    expect(sum).toBeLessThanOrEqual(1.3 * bytes.length);
  });

  it('allocates exactly the frame when the second chunk completes it', () => {
    const bytes = frame({ opcode: 2, payload: Buffer.alloc(50_000) });
    expect(allocated([bytes.subarray(0, 10), bytes.subarray(10)])).toEqual([256, bytes.length]);
  });
});
