import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MuxFrameReader } from './frame-reader.ts';
import { muxFrame, MuxRecorder, uint16, varint, type MuxEvent } from './mux-frames.fixture.ts';

type Side = 'gateway' | 'backend';

/** What a reader tells of these messages, each in the same memory, which is overwritten after each. */
function read(from: Side, ...messages: Uint8Array[]): MuxEvent[] {
  const handler = new MuxRecorder();
  const reader = new MuxFrameReader({ handler, from });
  const memory = Buffer.alloc(3 + Math.max(0, ...messages.map(({ length }) => length)));
  for (const message of messages) {
    memory.set(message, 3);
    reader.push(memory, 3, 3 + message.length, true);
    memory.fill(0xff);
  }
  return handler.events;
}

const kindsOf = (events: readonly MuxEvent[]): string[] => events.map(([kind]) => kind);

describe('MuxFrameReader', () => {
  it('reads the example of the specification', () => {
    const open = `7b2270617468223a222f7773222c2268656164657273223a5b5d2c2261646472657373223a223132372e302e302e31222c2270726f746f636f6c73223a5b5d2c2277696e646f77223a3236323134347d`;
    const gateway = [`010150${open}`, '100102' + '6869', '04010203e8'].map((text) =>
      Buffer.from(text, 'hex'),
    );
    const backend = ['020103808010', '100102686f04010203e8'].map((text) => Buffer.from(text, 'hex'));
    expect(read('gateway', ...gateway)).toEqual([
      ['open', 1, open],
      ['data', 1, '6869', false, true],
      ['close', 1, 1000, ''],
    ]);
    expect(read('backend', ...backend)).toEqual([
      ['accept', 1, 262_144, ''],
      ['data', 1, '686f', false, true],
      ['close', 1, 1000, ''],
    ]);
  });

  it('tells every kind of frame, and where its payload is', () => {
    const message = Buffer.concat([
      muxFrame(0x13, 2 ** 31 - 1, 'ab'),
      muxFrame(0x12, 300, Buffer.from([0xe2])),
      muxFrame(0x11, 1),
      muxFrame(0x05, 7, varint(2 ** 31 - 1)),
      muxFrame(0x04, 8),
      muxFrame(0x04, 8, uint16(1006)),
      muxFrame(0x04, 8, uint16(4999, 'ü'.repeat(61))),
      muxFrame(0x06, 0, 'p'.repeat(125)),
      muxFrame(0x07, 9, 'q'),
      muxFrame(0x80, 0, 'extension'),
      muxFrame(0xff, 5),
      muxFrame(0x03, 3, uint16(403, 'no')),
      muxFrame(0x08, 0),
    ]);
    expect(read('backend', message, Buffer.alloc(0))).toEqual([
      ['data', 2 ** 31 - 1, '6162', true, false],
      ['data', 300, 'e2', false, false],
      ['data', 1, '', true, true],
      ['window', 7, 2 ** 31 - 1],
      ['close', 8, 1005, ''],
      ['close', 8, 1006, ''],
      ['close', 8, 4999, 'ü'.repeat(61)],
      ['ping', 0, '70'.repeat(125)],
      ['pong', 9, '71'],
      ['refuse', 3, 403, 'no'],
      ['goaway'],
    ]);
  });

  const breaches: readonly (readonly [what: string, from: Side, bytes: Uint8Array])[] = [
    ['an unknown type', 'backend', muxFrame(0x09, 1)],
    ['another unknown type', 'backend', muxFrame(0x14, 1)],
    ['type 0', 'gateway', muxFrame(0x00, 1)],
    ['OPEN from a backend', 'backend', muxFrame(0x01, 1, '{}')],
    ['ACCEPT from a gateway', 'gateway', muxFrame(0x02, 1, varint(1024))],
    ['REFUSE from a gateway', 'gateway', muxFrame(0x03, 1, uint16(403))],
    ['GOAWAY from a gateway', 'gateway', muxFrame(0x08, 0)],
    ['GOAWAY on a stream', 'backend', muxFrame(0x08, 1)],
    ['GOAWAY with a payload', 'backend', muxFrame(0x08, 0, 'x')],
    ['DATA on stream 0', 'backend', muxFrame(0x10, 0, 'x')],
    ['CLOSE on stream 0', 'backend', muxFrame(0x04, 0)],
    ['a stream id above 2^31 − 1', 'backend', muxFrame(0x10, 2 ** 31, 'x')],
    ['a stream id of six bytes', 'backend', Buffer.from('10818080808000' + '00', 'hex')],
    ['a stream id in more bytes than it needs', 'backend', Buffer.from('10810001' + '41', 'hex')],
    ['a length in more bytes than it needs', 'backend', Buffer.from('1001810041', 'hex')],
    ['a length of five bytes', 'backend', Buffer.from('10018080808001', 'hex')],
    ['a frame without stream', 'backend', Buffer.from('10', 'hex')],
    ['a frame without length', 'backend', Buffer.from('1001', 'hex')],
    ['a frame cut off', 'backend', Buffer.from('10010241', 'hex')],
    ['a part that is too long', 'backend', muxFrame(0x11, 1, Buffer.alloc(65_537))],
    ['an OPEN that is too long', 'gateway', muxFrame(0x01, 1, Buffer.alloc(65_537))],
    ['a PING that is too long', 'backend', muxFrame(0x06, 1, Buffer.alloc(126))],
    ['a PONG that is too long', 'backend', muxFrame(0x07, 1, Buffer.alloc(126))],
    ['a WINDOW of 0', 'backend', muxFrame(0x05, 1, varint(0))],
    ['a WINDOW above 2^31 − 1', 'backend', muxFrame(0x05, 1, varint(2 ** 31))],
    ['a WINDOW with more in it', 'backend', muxFrame(0x05, 1, Buffer.from([1, 1]))],
    ['an empty WINDOW', 'backend', muxFrame(0x05, 1)],
    [
      'a WINDOW whose number goes on behind it',
      'backend',
      Buffer.concat([muxFrame(0x05, 1, Buffer.from([0x81])), varint(1)]),
    ],
    ['a window of less than 1,024', 'backend', muxFrame(0x02, 1, varint(1023))],
    [
      'an ACCEPT that is not UTF-8',
      'backend',
      muxFrame(0x02, 1, Buffer.concat([varint(1024), Buffer.from([0xff])])),
    ],
    ['a REFUSE of one byte', 'backend', muxFrame(0x03, 1, Buffer.from([1]))],
    ['a CLOSE of one byte', 'backend', muxFrame(0x04, 1, Buffer.from([3]))],
    ['a CLOSE with 1005', 'backend', muxFrame(0x04, 1, uint16(1005))],
    ['a CLOSE with 1015', 'backend', muxFrame(0x04, 1, uint16(1015))],
    ['a CLOSE with 999', 'backend', muxFrame(0x04, 1, uint16(999))],
    ['a reason of 124 bytes', 'backend', muxFrame(0x04, 1, uint16(1000, 'x'.repeat(124)))],
    ['a reason that is not UTF-8', 'backend', muxFrame(0x04, 1, uint16(1000, Buffer.from([0xff])))],
    ['a message that is too long', 'backend', Buffer.alloc(1_048_577)],
  ];
  it.each(breaches)('finds a breach in %s', (_, from, bytes) => {
    const before = muxFrame(0x10, 1, 'before');
    const behind = muxFrame(0x10, 1, 'behind');
    const kinds = kindsOf(read(from, before, bytes, behind));
    expect(kinds[0]).toBe('data');
    expect(kinds.slice(-1)).toEqual(['breach']);
    expect(kinds).toHaveLength(2);
  });

  it('finds a breach in a text message', () => {
    const handler = new MuxRecorder();
    const reader = new MuxFrameReader({ handler, from: 'backend' });
    const bytes = muxFrame(0x10, 1, 'hi');
    reader.push(bytes, 0, bytes.length, false);
    expect(kindsOf(handler.events)).toEqual(['breach']);
  });

  it('tells nothing more after it was stopped from within the handler', () => {
    const handler = new MuxRecorder();
    const reader = new MuxFrameReader({ handler, from: 'backend' });
    handler.onPing = () => reader.stop();
    const bytes = Buffer.concat([muxFrame(0x06, 0), muxFrame(0x10, 1, 'hi')]);
    reader.push(bytes, 0, bytes.length, true);
    reader.push(bytes, 0, bytes.length, true);
    expect(handler.events).toEqual([]);
  });

  it('survives any bytes, and says nothing after a breach', () => {
    const noise = fc.uint8Array({ maxLength: 60 });
    const likely = fc
      .tuple(
        fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 0x10, 0x13, 0x80),
        fc.nat(300),
        fc.uint8Array({ maxLength: 8 }),
      )
      .map(([type, stream, payload]) => muxFrame(type, stream, payload));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(noise, likely), { maxLength: 6 }),
        fc.constantFrom<Side>('gateway', 'backend'),
        (parts, from) => {
          const kinds = kindsOf(read(from, Buffer.concat(parts), muxFrame(0x10, 1)));
          const breach = kinds.indexOf('breach');
          expect(breach === -1 || breach === kinds.length - 1).toBe(true);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
