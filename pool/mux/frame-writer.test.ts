import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MuxFrameReader } from './frame-reader.ts';
import { MuxFrameWriter } from './frame-writer.ts';
import { affordableBytes, dataCost } from './frames.ts';
import { hex, muxFrame, MuxRecorder, uint16, varint, type MuxEvent } from './mux-frames.fixture.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text);

describe('MuxFrameWriter', () => {
  it('packs frames as the specification draws them, one behind the other', () => {
    const writer = new MuxFrameWriter();
    const source = bytesOf('--hello--');
    writer.data(1, source, 2, 7, false, true);
    writer.data(300, source, 2, 7, true, false);
    writer.window(2 ** 31 - 1, 2 ** 31 - 1);
    writer.close(5, 1000, 'bye');
    writer.accept(6, 65_536, 'ünique');
    writer.refuse(7, 401, 'who are you?');
    writer.open(8, bytesOf('{}'));
    writer.ping(0, source, 0, 2);
    writer.pong(9, source, 0, 2);
    writer.goAway();
    const expected = Buffer.concat([
      muxFrame(0x10, 1, 'hello'),
      muxFrame(0x13, 300, 'hello'),
      muxFrame(0x05, 2 ** 31 - 1, varint(2 ** 31 - 1)),
      muxFrame(0x04, 5, uint16(1000, 'bye')),
      muxFrame(0x02, 6, Buffer.concat([varint(65_536), bytesOf('ünique')])),
      muxFrame(0x03, 7, uint16(401, 'who are you?')),
      muxFrame(0x01, 8, '{}'),
      muxFrame(0x06, 0, '--'),
      muxFrame(0x07, 9, '--'),
      muxFrame(0x08, 0),
    ]);
    expect(writer.length).toBe(expected.length);
    expect(Buffer.from(writer.take()).toString('hex')).toBe(expected.toString('hex'));
    expect(writer.take()).toHaveLength(0);
  });

  it.each([1005, 1004, 1015, 0, 999, 5000])('writes a CLOSE without code for %i', (code) => {
    const writer = new MuxFrameWriter();
    writer.close(1, code, 'not sent');
    expect(Buffer.from(writer.take())).toEqual(muxFrame(0x04, 1));
  });

  it('writes 1006, and cuts a reason between two characters', () => {
    const writer = new MuxFrameWriter();
    writer.close(1, 1006, '');
    writer.close(2, 4000, 'ü'.repeat(100));
    const frames = Buffer.from(writer.take());
    expect(frames).toEqual(
      Buffer.concat([muxFrame(0x04, 1, uint16(1006)), muxFrame(0x04, 2, uint16(4000, 'ü'.repeat(61)))]),
    );
  });

  it('tells when there is enough for one message, and refuses what cannot be one', () => {
    const writer = new MuxFrameWriter();
    const part = Buffer.alloc(65_536);
    expect(() => writer.data(1, Buffer.alloc(65_537), 0, 65_537, true, true)).toThrow(/^bug/);
    expect(writer.full).toBe(false);
    writer.data(1, part, 0, part.length, true, true);
    expect(writer.full).toBe(true);
    for (let n = 0; n < 14; n++) writer.data(1, part, 0, part.length, true, true);
    expect(() => writer.data(1, part, 0, part.length, true, true)).toThrow(/^bug/);
    expect(() => writer.data(2 ** 31, part, 0, 0, true, true)).toThrow(/^bug/);
  });

  it('is understood by the reader, whatever is written', () => {
    const stream = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.uint8Array({ minLength: 0, maxLength: 20_000 }),
    );
    const frame = fc.tuple(
      stream,
      payload,
      fc.boolean(),
      fc.boolean(),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    );
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), (frames) => {
        const writer = new MuxFrameWriter();
        const expected: MuxEvent[] = [];
        for (const [id, bytes, isBinary, isLast, credit] of frames) {
          writer.data(id, bytes, 0, bytes.length, isBinary, isLast);
          writer.window(id, credit);
          expected.push(['data', id, hex(bytes, 0, bytes.length), isBinary, isLast], ['window', id, credit]);
        }
        const handler = new MuxRecorder();
        const message = writer.take();
        new MuxFrameReader({ handler, from: 'gateway' }).push(message, 0, message.length, true);
        expect(handler.events).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });
});

describe('the cost of DATA', () => {
  it('is 16 more than the payload, and a credit affords as much', () => {
    expect(dataCost(0)).toBe(16);
    expect(dataCost(100)).toBe(116);
    expect([0, 15, 16, 116, 10 ** 9].map(affordableBytes)).toEqual([-16, -1, 0, 100, 65_536]);
  });
});
