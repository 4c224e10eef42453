import { expect, it } from 'vitest';
import { RequestBook, type RequestParams } from './request-book.ts';

const params = (mark: string): RequestParams => ({ mark, ms: 0, padding: '' });
const answer = (id: unknown, result: unknown): string => JSON.stringify({ jsonrpc: '2.0', id, result });
const error = (id: unknown, code: number): string => JSON.stringify({ jsonrpc: '2.0', id, error: { code } });

function openBook(): RequestBook {
  const book = new RequestBook();
  book.ask(1, params('a'), 0);
  book.ask('1', params('b'), 0);
  return book;
}

it('takes one answer or error for each request, alone or in a batch, and knows ids by their type', () => {
  const book = openBook();
  book.hear(`[${answer('1', params('b'))},${error(1, -32003)}]`, 70);
  expect(book).toMatchObject({ asked: 2, replied: 1, errored: 1, open: 0, faults: [], longestMs: 70 });
  expect(book.neverWritten).toEqual(['a']);
});

it.each([
  ['a second answer', [answer(1, params('a')), answer(1, params('a'))]],
  ['an answer after an error', [error(1, -32001), answer(1, params('a'))]],
  ['an answer of another', [answer(1, params('b'))]],
  ['an answer to nobody', [answer(2, params('a'))]],
  ['a notification', [JSON.stringify({ jsonrpc: '2.0', method: 'announce' })]],
  ['an error without a reason', [error(1, -32603)]],
])('finds fault with %s', (_what, messages) => {
  const book = openBook();
  for (const message of messages) book.hear(message, 0);
  expect(book.faults).toHaveLength(1);
});

it('keeps those apart that were left with and without a goodbye', () => {
  const book = openBook();
  book.leave(true);
  book.ask(1, params('c'), 0);
  book.leave(false);
  expect(book).toMatchObject({ asked: 3, leftInOrder: 2, leftAbruptly: 1, open: 0 });
});
