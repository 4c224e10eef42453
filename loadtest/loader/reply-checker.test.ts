import { describe, expect, it } from 'vitest';
import { ReplyChecker } from './reply-checker.ts';
import { addToCounter, batchOf, scriptFor } from './script.ts';

const depth = 3;
const { reply } = scriptFor('jsonrpc', 7);
const frames = Array.from({ length: depth }, (_, i) => {
  const size = reply.frame.length;
  return batchOf(reply, depth).subarray(i * size, (i + 1) * size);
});

function checker(pings: string[] = []): ReplyChecker {
  return new ReplyChecker({ reply, depth, onPing: (payload) => pings.push(payload.toString()) });
}

function feed(into: ReplyChecker, bytes: Buffer): number {
  return into.take(bytes, bytes.length);
}

describe('ReplyChecker', () => {
  it('takes a batch cut at any two bytes', () => {
    const batch = Buffer.concat(frames);
    for (let first = 1; first < batch.length - 1; first++) {
      const cut = first + ((first * 7) % (batch.length - first - 1)) + 1;
      const one = checker();
      const replies = [batch.subarray(0, first), batch.subarray(first, cut), batch.subarray(cut)].map(
        (part) => feed(one, part),
      );
      expect(replies.reduce((sum, count) => sum + count)).toBe(depth);
    }
  });

  it('takes replies in any order, in pieces, then the next batch in order', () => {
    const one = checker();
    const shuffled = Buffer.concat([frames[2]!, frames[0]!, frames[1]!]);
    const cut = frames[0]!.length + 9;
    expect([feed(one, shuffled.subarray(0, cut)), feed(one, shuffled.subarray(cut))]).toEqual([1, 2]);
    one.next();
    const following = Buffer.concat(frames.map((frame) => Buffer.from(frame)));
    for (let i = 0; i < depth; i++) addToCounter(following, i * reply.frame.length + reply.counterAt, depth);
    expect(feed(one, following)).toBe(depth);
  });

  it('goes on from a reply it has seen half of when the rest of the batch is out of order', () => {
    const one = checker();
    expect(feed(one, frames[0]!.subarray(0, 9))).toBe(0);
    expect(feed(one, Buffer.concat([frames[0]!.subarray(9), frames[2]!, frames[1]!]))).toBe(depth);
  });

  it('refuses the reply of another client, a repeated reply and one of an earlier batch', () => {
    expect(() => feed(checker(), scriptFor('jsonrpc', 8).reply.frame)).toThrow('wrong reply');
    expect(() => feed(checker(), Buffer.concat([frames[1]!, frames[1]!]))).toThrow('wrong reply');
    const later = checker();
    feed(later, Buffer.concat(frames));
    later.next();
    expect(() => feed(later, frames[0]!)).toThrow('wrong reply');
  });

  it('refuses a reply that nobody asked for after the batch', () => {
    expect(() => feed(checker(), Buffer.concat([...frames, frames[0]!]))).toThrow('wrong reply');
  });

  it('hands over pings between replies and tells the code of a close', () => {
    const pings: string[] = [];
    const one = checker(pings);
    const ping = Buffer.from([0x89, 2, 0x68, 0x69]);
    expect(feed(one, Buffer.concat([frames[0]!, ping, frames[1]!]))).toBe(2);
    expect(pings).toEqual(['hi']);
    expect(() => feed(one, Buffer.from([0x88, 2, 0x03, 0xf5]))).toThrow('closed by the server: 1013');
  });

  it('refuses to go on while a reply is missing', () => {
    const one = checker();
    feed(one, frames[0]!);
    expect(() => one.next()).toThrow('bug');
  });
});
