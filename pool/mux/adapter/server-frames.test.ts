import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerFrames } from './server-frames.ts';

const FIN = 0x80;

/** A frame as a server writes it. */
function serverFrame(first: number, payload: Uint8Array): Buffer {
  const size = payload.length;
  const length =
    size <= 125
      ? Buffer.of(size)
      : size <= 0xffff
        ? Buffer.of(126, size >> 8, size & 255)
        : Buffer.of(127, 0, 0, 0, 0, 0, size >> 16, (size >> 8) & 255, size & 255);
  return Buffer.concat([Buffer.of(first), length, payload]);
}

/** What is read from chunks: text, binary or the opcode of a control frame, with the payload in hex. */
function read(chunks: readonly Buffer[]): string[] {
  const events: string[] = [];
  const frames = new ServerFrames((opcode, payload) => events.push(`${opcode} ${payload.toString('hex')}`));
  let message = Buffer.alloc(0);
  for (const chunk of chunks) {
    let at = 0;
    while (at < chunk.length) {
      at = frames.next(chunk, at);
      if (!frames.inPayload) break;
      const size = Math.min(frames.left, chunk.length - at);
      const { isLast, isBinary, left } = frames;
      frames.take(size);
      message = Buffer.concat([message, chunk.subarray(at, at + size)]);
      at += size;
      if (!isLast || size < left) continue;
      events.push(`${isBinary ? 'binary' : 'text'} ${message.toString('hex')}`);
      message = Buffer.alloc(0);
    }
  }
  return events;
}

describe('what a server writes', () => {
  it('is the same frames however it is cut into chunks', () => {
    const payload = fc.uint8Array({ maxLength: 200 });
    const frame = fc.oneof(
      fc.record({ opcode: fc.constantFrom(1, 2), payload }),
      fc.record({ opcode: fc.constantFrom(8, 9, 10), payload: fc.uint8Array({ maxLength: 125 }) }),
      fc.record({ opcode: fc.constant(2), payload: fc.constant(Buffer.alloc(70_000, 7)) }),
    );
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(
            frames.map(({ opcode, payload }) => serverFrame(FIN | opcode, payload)),
          );
          const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
          const chunks = ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end));
          const names = ['', 'text', 'binary'];
          expect(read(chunks.filter(({ length }) => length > 0))).toEqual(
            frames.map(
              ({ opcode, payload }) => `${names[opcode] ?? opcode} ${Buffer.from(payload).toString('hex')}`,
            ),
          );
        },
      ),
    );
  });

  it('may come in fragments, with control frames between them', () => {
    const bytes = [
      serverFrame(1, Buffer.from('a')),
      serverFrame(FIN | 9, Buffer.from('p')),
      serverFrame(0, Buffer.from('b')),
      serverFrame(FIN, Buffer.from('c')),
    ];
    expect(read([Buffer.concat(bytes)])).toEqual(['9 70', 'text 616263']);
  });

  it.each([
    ['a masked frame', Buffer.of(0x81, 0x80)],
    ['reserved bits', Buffer.of(0xc1, 0)],
    ['an unknown opcode', Buffer.of(0x83, 0)],
    ['a control frame that is too long', Buffer.of(0x89, 126, 0, 126)],
  ])('cannot be %s', (_, bytes) => {
    expect(() => read([bytes])).toThrow();
  });
});
