import { expect, it, test } from 'vitest';
import { ERROR_MESSAGES, ErrorCode, errorReply } from './errors.ts';

it('carries the raw id token, the code, the message and the data', () => {
  const request = Buffer.from('{"id":"\\u0061","method":"m"}');
  const reply = errorReply(request, 6, 14, ErrorCode.RateLimited, 'say "please"', '{"retryAfterMs":250}');
  expect(Buffer.from(reply).toString()).toBe(
    '{"jsonrpc":"2.0","error":{"code":-32029,"message":"say \\"please\\"","data":{"retryAfterMs":250}},"id":"\\u0061"}',
  );
});

test.each([
  ['there are no bytes', undefined, 0, 0],
  ['a scan found none', Buffer.from('{"id":1}'), -1, -1],
])('has a null id when %s', (_, id, start, end) => {
  const reply = errorReply(id, start, end, ErrorCode.ParseError, ERROR_MESSAGES[ErrorCode.ParseError]);
  expect(JSON.parse(Buffer.from(reply).toString())).toEqual({
    jsonrpc: '2.0',
    error: { code: -32700, message: ERROR_MESSAGES[-32700] },
    id: null,
  });
});

it('has a sentence for each code', () => {
  for (const code of Object.values(ErrorCode)) expect(ERROR_MESSAGES[code]).toMatch(/^[A-Z].+: .+\.$/);
});
