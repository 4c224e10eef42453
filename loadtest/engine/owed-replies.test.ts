import { describe, expect, it } from 'vitest';
import { kinds } from '../result/failure-kinds.ts';
import type { Message } from './message.ts';
import { OwedReplies, type ReplyCheck } from './owed-replies.ts';

const text = (value: string): Message => ({ bytes: Buffer.from(value), isBinary: false });
const json = (value: unknown): Message => text(JSON.stringify(value));
const call = (id: number): Message => json({ jsonrpc: '2.0', id, method: 'echo', params: [`n${id}`] });
const result = (id: unknown, value: unknown): Message => json({ jsonrpc: '2.0', id, result: value });

function owing(messages: readonly Message[], check: ReplyCheck = 'echo', calls = false): OwedReplies {
  const owed = new OwedReplies();
  for (const [i, message] of messages.entries())
    owed.add({ message, check, id: calls ? i + 1 : undefined, sinceMs: i });
  return owed;
}

describe('an echo', () => {
  it('is right when it is what was sent, in any order', () => {
    const owed = owing([text('a'), text('b')]);
    expect(owed.settle(text('b'))).toMatchObject({ owed: { sinceMs: 1 }, failure: undefined });
    expect(owed.settle(text('a'))).toMatchObject({ owed: { sinceMs: 0 }, failure: undefined });
    expect(owed.settle(text('a')).failure?.kind).toBe(kinds.unasked);
  });

  it('is wrong when it is anything else, and settles the oldest', () => {
    const owed = owing([text('a'), text('b')]);
    expect(owed.settle({ ...text('a'), isBinary: true })).toMatchObject({
      owed: { sinceMs: 0 },
      failure: { kind: kinds.wrongReply },
    });
    expect(owed.size).toBe(1);
  });

  it('may be anything where that was said', () => {
    expect(owing([text('a')], 'any').settle(text('x')).failure).toBeUndefined();
  });

  it('shows where a long one differs', () => {
    const [sent, got] = [`${'x'.repeat(500)}sent`, `${'x'.repeat(500)}got`].map(text) as [Message, Message];
    expect(owing([sent]).settle(got).failure?.message).toMatch(/… "x{20}sent".*… "x{20}got"/);
  });
});

describe('a JSON-RPC reply', () => {
  const owed = (): OwedReplies => owing([call(1), call(2)], 'echo', true);

  it('belongs to the request of its id', () => {
    const both = owed();
    expect(both.settle(result(2, ['n2']))).toMatchObject({ owed: { id: 2 }, failure: undefined });
    expect(both.settle(result(1, ['n2'])).failure?.kind).toBe(kinds.wrongReply);
  });

  it.each([
    ['of an id that is not owed', result(3, ['n3']), kinds.unasked],
    ['of an id that has another type', result('1', ['n1']), kinds.unasked],
    ['that is no JSON', text('oops'), kinds.wrongReply],
    ['that is an error', json({ id: 1, error: { code: -32029, message: '' } }), 'error reply -32029'],
    ['that is an error without an id', json({ id: null, error: { code: -32700 } }), 'error reply -32700'],
  ])('is wrong %s', (_, reply, kind) => {
    expect(owed().settle(reply).failure?.kind).toBe(kind);
  });

  it('is not what the server says of its own', () => {
    const both = owed();
    expect(both.settle(json({ method: 'news', params: {} }))).toEqual({
      owed: undefined,
      failure: undefined,
    });
    expect(both.size).toBe(2);
  });
});

it('takes an error that is null for none, and codes that are no numbers for one kind', () => {
  const calls = owing([call(1), call(2)], 'echo', true);
  expect(calls.settle(json({ id: 1, error: null, result: ['n1'] }))).toMatchObject({ failure: undefined });
  const odd = calls.settle(json({ id: 2, error: { code: '\u001b[2J' } }));
  expect(odd.failure?.kind).toBe(kinds.errorReply('without a code'));
});

it.each([
  ['an echo', [text('a'), text('b')], [text('a'), text('b')], false],
  ['a call', [call(1), call(2)], [result(1, ['n1']), result(2, ['n2'])], true],
] as const)('counts a late reply to %s once, when it is given up', (_, messages, replies, calls) => {
  const owed = owing(messages, 'echo', calls);
  expect(owed.dropBefore(1, kinds.replyTimeout)).toBe(1);
  expect(owed.settle(replies[0])).toEqual({ owed: undefined, failure: undefined });
  expect(owed.settle(replies[1])).toMatchObject({ owed: { sinceMs: 1 }, failure: undefined });
  expect(owed.settle(replies[0]).failure?.kind).toBe(kinds.unasked);
});
