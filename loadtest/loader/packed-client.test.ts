import { expect, it } from 'vitest';
import { PackedMessages } from './packed-client.ts';
import { packerFor } from './packing.ts';

const texts = ['alpha', 'beta'].map((word) =>
  Buffer.from(JSON.stringify({ word, list: Array(20).fill(word) })),
);

/** What a server that echoes sends: the frame of the client without its mask. */
function echoed(frame: Buffer): Buffer {
  const [length, header] = (frame[1]! & 0x7f) === 126 ? [frame.readUInt16BE(2), 8] : [frame[1]! & 0x7f, 6];
  const head = Buffer.from(frame.subarray(0, header - 4));
  head[1]! &= 0x7f;
  return Buffer.concat([head, frame.subarray(header, header + length)]);
}

it.each(['none', 'gzip', 'brotli', 'zstd', 'permessage-deflate'] as const)(
  'accepts what was said by %s, plain text too, and nothing else',
  (packing) => {
    const messages = new PackedMessages(texts, packerFor(packing));
    expect(() => messages.check(0, echoed(messages.frame(0)))).not.toThrow();
    expect(() => messages.check(2, echoed(messages.frame(0))), 'counted on past the last').not.toThrow();
    expect(() => messages.check(1, echoed(messages.frame(0)))).toThrow('wrong reply');
    const plain = new PackedMessages(texts, packerFor('none'));
    expect(() => messages.check(1, echoed(plain.frame(1)))).not.toThrow();
    expect(messages.heardBytes()).toBeGreaterThan(10);
  },
);

it('takes no frame that a codec would not send', () => {
  const messages = new PackedMessages(texts, packerFor('zstd'));
  const frame = echoed(messages.frame(0));
  frame[2] = 1;
  expect(() => messages.check(0, frame)).toThrow('wrong reply: flags 1');
  frame[0] = 0x83;
  expect(() => messages.check(0, frame)).toThrow('wrong reply');
});
