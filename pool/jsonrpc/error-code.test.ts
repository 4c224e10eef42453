import fc from 'fast-check';
import { expect, it } from 'vitest';
import { errorCode } from './error-code.ts';
import { value } from './scan.fixture.ts';
import { Scan, ScanKind, scanReply } from './scan.ts';

function codeOf(text: string): number {
  const buf = Buffer.from(text);
  const scan = new Scan();
  scanReply(buf, 0, buf.length, scan);
  expect(scan.kind).toBe(ScanKind.Response);
  return scan.errorStart < 0 ? NaN : errorCode(buf, scan.errorStart, buf.length, scan.stack);
}

it.each([
  ['{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}}', -32603],
  ['{"jsonrpc":"2.0","error":{"code":-32603,"message":"Internal error"},"id":1}', -32603],
  ['{"error":{"message":"m","data":{"code":5,"x":[{"code":6}]}, "code" : 42 },"jsonrpc":"2.0","id":"a"}', 42],
  ['{"jsonrpc":"2.0","id":1,"error":{"code":0}}', 0],
])('reads the code of %s', (text, code) => {
  expect(codeOf(text)).toBe(code);
});

it.each([
  '{"jsonrpc":"2.0","id":1,"result":{"code":-32603}}',
  '{"jsonrpc":"2.0","result":{"error":{"code":-32603}},"id":1}',
  '{"jsonrpc":"2.0","id":1,"error":null}',
  '{"jsonrpc":"2.0","error":null,"result":1,"id":17}',
  '{"jsonrpc":"2.0","id":1,"error":"-32603"}',
  '{"jsonrpc":"2.0","id":1,"error":{}}',
  '{"jsonrpc":"2.0","id":1,"error":{"message":"m"}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code":"-32603"}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code":1.5}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code":-}}',
  '{"jsonrpc":"2.0","id":1,"error":{"code"',
  '{"jsonrpc":"2.0","id":1,"error":{"message":"m",',
])('finds none in %s', (text) => {
  expect(codeOf(text)).toBeNaN();
});

it('finds the one that JSON.parse finds, whatever stands around it', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -40_000, max: 40_000 }),
      value,
      value,
      fc.boolean(),
      (code, message, data, first) => {
        const error = first ? { code, message, data } : { message, data, code };
        const text = JSON.stringify({ jsonrpc: '2.0', id: 7, error });
        expect(codeOf(text)).toBe((JSON.parse(text) as { error: { code: number } }).error.code);
      },
    ),
  );
});

it('forgets the error of the message before', () => {
  const scan = new Scan();
  for (const [text, at] of [
    ['{"id":1,"error":{}}', 16],
    ['{"id":1,"result":{}}', -1],
  ] as const) {
    scanReply(Buffer.from(text), 0, text.length, scan);
    expect(scan.errorStart).toBe(at);
  }
});
