import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';
import { closePayload, type WireEvent } from './frames.fixture.ts';
import { FrameWriter } from './writer.ts';
import { readByWs } from './ws-receiver.fixture.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text);
const hexOf = (text: string): string => bytesOf(text).toString('hex');

function writer(trusted = false): FrameWriter {
  return new FrameWriter({ buffers: new BufferPool(), trusted });
}

function taken(from: FrameWriter): Buffer {
  return Buffer.from(from.take() ?? []);
}

/** Writes a message out of the middle of a larger array. */
function write(into: FrameWriter, payload: Uint8Array, isBinary: boolean): void {
  const around = Buffer.concat([Buffer.alloc(5, '!'), payload, Buffer.alloc(3, '!')]);
  into.message(around, 5, 5 + payload.length, isBinary);
}

type Step =
  | { readonly kind: 'text' | 'binary' | 'ping' | 'pong'; readonly payload: Uint8Array }
  | { readonly kind: 'spliced'; readonly head: string; readonly id: number; readonly tail: string };

const size = fc.oneof(fc.nat(200), fc.constantFrom(125, 126, 65_535, 65_536, 70_001));
const control = fc.uint8Array({ maxLength: 125 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('text' as const),
    payload: size.map((bytes) => Buffer.alloc(bytes, 'aé€😀')),
  }),
  fc.record({ kind: fc.constant('binary' as const), payload: fc.uint8Array({ maxLength: 70 }) }),
  fc.record({ kind: fc.constantFrom('ping' as const, 'pong' as const), payload: control }),
  fc.record({
    kind: fc.constant('spliced' as const),
    head: fc.string({ unit: 'grapheme' }),
    id: fc.oneof(fc.nat(), fc.maxSafeNat()),
    tail: fc.string({ unit: 'grapheme', maxLength: 150 }),
  }),
);

/** Writes the step and returns what its reader must see. */
function perform(step: Step, into: FrameWriter): WireEvent {
  if (step.kind === 'spliced') {
    const src = bytesOf(`..${step.head}"cut"${step.tail}..`);
    const cutStart = 2 + bytesOf(step.head).length;
    into.spliced(src, 2, cutStart, cutStart + 5, src.length - 2, step.id);
    return ['text', hexOf(`${step.head}${step.id}${step.tail}`)];
  }
  // A text cut off within a character is none, so it goes as binary.
  const isText = step.kind === 'text' && Buffer.from(step.payload).toString().at(-1) !== '\ufffd';
  if (step.kind === 'ping') into.ping(step.payload);
  else if (step.kind === 'pong') into.pong(step.payload, 0, step.payload.length);
  else write(into, step.payload, !isText);
  const kind = step.kind === 'text' && !isText ? 'binary' : step.kind;
  return [kind, Buffer.from(step.payload).toString('hex')];
}

describe.each([true, false])('FrameWriter, trusted: %s', (trusted) => {
  it('writes what ws reads as the same messages', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const frames = writer(trusted);
        const expected = steps.map((one) => perform(one, frames));
        expect(readByWs(taken(frames))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('masks every size at every alignment', () => {
    const frames = writer(trusted);
    const expected: WireEvent[] = [];
    for (let bytes = 0; bytes < 140; bytes++) {
      const payload = Buffer.from(Array.from({ length: bytes }, (_, i) => i));
      write(frames, payload, true);
      expected.push(['binary', payload.toString('hex')]);
      frames.ping(Buffer.alloc(bytes % 4));
      expected.push(['ping', '00'.repeat(bytes % 4)]);
    }
    expect(readByWs(taken(frames))).toEqual(expected);
  });

  it('visits what was not taken, unmasked, oldest first, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), fc.array(step, { maxLength: 8 }), (before, after) => {
        const frames = writer(trusted);
        for (const one of before) perform(one, frames);
        frames.take();
        const expected = after.map((one) => perform(one, frames));
        frames.close(1000, 'bye');
        const seen: WireEvent[] = [];
        const pending = frames.length;
        frames.unsent((buf, start, end, isBinary) => {
          seen.push([isBinary ? 'binary' : 'text', Buffer.from(buf.subarray(start, end)).toString('hex')]);
        });
        expect(seen).toEqual(expected.filter(([kind]) => kind === 'text' || kind === 'binary'));
        expect(readByWs(taken(frames))).toEqual([...expected, ['close', 1000, 'bye']]);
        expect(pending).toBeGreaterThan(0);
      }),
      { numRuns: 200 },
    );
  });

  it('survives a visitor that clears it and fills its block anew', () => {
    const buffers = new BufferPool();
    const lost = new FrameWriter({ buffers, trusted });
    const other = new FrameWriter({ buffers, trusted });
    for (const text of ['one', 'two', 'three']) write(lost, bytesOf(text), false);
    lost.unsent((buf, start, end, isBinary) => {
      lost.clear();
      other.message(buf, start, end, isBinary);
    });
    expect(readByWs(taken(other))).toEqual(['one', 'two', 'three'].map((text) => ['text', hexOf(text)]));
  });
});

describe('FrameWriter.spliced', () => {
  const ids = [
    0,
    9,
    10,
    99,
    100,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    9_999_999_999,
    10 ** 15,
    2 ** 53 - 2,
    2 ** 53 - 1,
  ];

  it.each([0, 3, 6])('puts each id in place of a cut at byte %i', (cut) => {
    for (const id of ids) {
      const frames = writer();
      const src = bytesOf('[abcdef]');
      frames.spliced(src, 1, 1 + cut, Math.min(7, 3 + cut), 7, id);
      const expected = 'abcdef'.slice(0, cut) + String(id) + 'abcdef'.slice(cut + 2);
      expect(readByWs(taken(frames))).toEqual([['text', hexOf(expected)]]);
    }
  });

  it('writes the digits of every kind of id', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(),
          fc.maxSafeNat(),
          fc.nat(1000).map((n) => 2 ** 53 - 1 - n),
        ),
        (id) => {
          const frames = writer(true);
          frames.spliced(bytesOf('x'), 0, 0, 1, 1, id);
          expect(taken(frames).subarray(6).toString()).toBe(String(id));
        },
      ),
    );
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses %d as an id', (id) => {
    expect(() => writer().spliced(bytesOf('x'), 0, 0, 1, 1, id)).toThrow('bug:');
  });
});

describe('FrameWriter keys', () => {
  function keys(trusted: boolean): string[] {
    const frames = writer(trusted);
    for (let i = 0; i < 3000; i++) frames.ping();
    const bytes = taken(frames);
    return Array.from({ length: 3000 }, (_, i) => bytes.toString('hex', i * 6 + 2, i * 6 + 6));
  }

  it('are different for every frame', () => {
    const all = keys(false);
    expect(new Set(all).size).toBeGreaterThan(2_990);
    expect(all.filter((key) => key === '00000000').length).toBeLessThan(3);
  });

  it('are zero, with the mask bit, when the upstream is trusted', () => {
    expect(new Set(keys(true))).toEqual(new Set(['00000000']));
    const frames = writer(true);
    write(frames, bytesOf('plain'), false);
    expect(taken(frames).toString('latin1')).toBe('\x81\x85\0\0\0\0plain');
  });
});

describe('FrameWriter.close', () => {
  it.each([
    [1000, '', 1000, ''],
    [4999, 'done', 4999, 'done'],
    [1005, 'ignored', 1005, ''],
    [1006, 'ignored', 1005, ''],
    [1015, '', 1005, ''],
    [1011, 'x'.repeat(200), 1011, 'x'.repeat(123)],
    [1011, '€'.repeat(50), 1011, '€'.repeat(41)],
    [1011, `x${'€'.repeat(50)}`, 1011, `x${'€'.repeat(40)}`],
    [1011, `xx${'😀'.repeat(50)}`, 1011, `xx${'😀'.repeat(30)}`],
    [1011, 'lone \ud800', 1011, 'lone \ufffd'],
  ])('of %i with reason %j is read as %i %j', (code, reason, seenCode, seenReason) => {
    const frames = writer();
    frames.close(code, reason);
    expect(readByWs(taken(frames))).toEqual([['close', seenCode, seenReason]]);
  });

  it('writes code and reason as RFC 6455 says', () => {
    const frames = writer(true);
    frames.close(1001, 'away');
    expect(taken(frames).subarray(6)).toEqual(closePayload(1001, 'away'));
  });
});

describe('FrameWriter buffers', () => {
  it('holds no block while nothing is pending, and uses recycled ones again', () => {
    const buffers = new BufferPool();
    const frames = new FrameWriter({ buffers, trusted: true });
    expect(frames.take()).toBeUndefined();
    write(frames, bytesOf('one'), false);
    expect(frames.length).toBe(9);
    const first = frames.take()!;
    expect(frames.length).toBe(0);
    expect(buffers.freeBytes).toBe(0);
    frames.recycle(first);
    expect(buffers.freeBytes).toBe(4_096);
    write(frames, bytesOf('two'), false);
    const second = frames.take()!;
    expect(second.buffer).toBe(first.buffer);
  });

  it('does not touch what was taken while it collects more', () => {
    const frames = writer(true);
    write(frames, bytesOf('one'), false);
    const first = frames.take()!;
    write(frames, bytesOf('two'), false);
    expect(Buffer.from(first).toString('latin1', 6)).toBe('one');
  });

  it('gives its block back when cleared and when it outgrows it', () => {
    const buffers = new BufferPool();
    const frames = new FrameWriter({ buffers, trusted: false });
    write(frames, Buffer.alloc(10_000), true);
    write(frames, Buffer.alloc(10_000), true);
    expect(buffers.freeBytes).toBe(16_384);
    frames.clear();
    frames.clear();
    expect(frames.length).toBe(0);
    expect(buffers.freeBytes).toBe(16_384 + 32_768);
    expect(frames.take()).toBeUndefined();
  });

  it('throws when the same bytes are recycled twice', () => {
    const frames = writer();
    frames.ping();
    const bytes = frames.take()!;
    frames.recycle(bytes);
    expect(() => frames.recycle(bytes)).toThrow('bug:');
  });

  it('refuses a control frame of more than 125 bytes', () => {
    expect(() => writer().ping(Buffer.alloc(126))).toThrow('bug:');
    expect(() => writer().pong(Buffer.alloc(126), 0, 126)).toThrow('bug:');
  });
});
