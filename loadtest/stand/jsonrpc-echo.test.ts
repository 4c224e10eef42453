import { expect, it } from 'vitest';
import { replyTo } from './jsonrpc-echo.ts';
import { scriptFor } from '../loader/script.ts';

function replyText(request: string): string {
  return Buffer.from(replyTo(Buffer.from(request))).toString();
}

it('answers with exactly the reply that the script expects', () => {
  const { request, reply } = scriptFor('jsonrpc', 42);
  expect(replyText(request.frame.toString('utf8', 6))).toBe(reply.frame.toString('utf8', 2));
});

it('keeps ids of any length and type', () => {
  for (const id of ['7', '123456789012345', '"a"']) {
    expect(replyText(`{"jsonrpc":"2.0","id":${id},"method":"echo","params":[1]}`)).toBe(
      `{"jsonrpc":"2.0","id":${id},"result":[1]}`,
    );
  }
});

it('understands another layout of the same request', () => {
  const request = '{ "method": "echo", "params": {"a": 1}, "id": 3, "jsonrpc": "2.0" }';
  expect(JSON.parse(replyText(request))).toEqual({ jsonrpc: '2.0', id: 3, result: { a: 1 } });
});
