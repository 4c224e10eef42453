import { expect, it } from 'vitest';
import { ResponseHead } from './response-head.ts';

it('reads status, reason and subprotocol, in chunks of any size, and says where the rest begins', () => {
  const head = 'HTTP/1.1 101 Switching Protocols\r\nX: y\r\nsec-websocket-protocol:  app \r\n\r\n';
  const bytes = Buffer.from(`${head}rest`, 'latin1');
  for (let cut = 1; cut <= head.length; cut++) {
    const parser = new ResponseHead();
    const first = parser.push(bytes.subarray(0, cut));
    const response = first ?? parser.push(bytes.subarray(cut));
    expect(response).toEqual({ status: 101, reason: 'Switching Protocols', protocol: 'app' });
    const restAt = first === undefined ? cut + parser.restAt : parser.restAt;
    expect(bytes.toString('latin1', restAt)).toBe('rest');
  }
});

it('does without a reason and a subprotocol', () => {
  const response = new ResponseHead().push(Buffer.from('HTTP/1.1 403\r\n\r\n'));
  expect(response).toEqual({ status: 403, reason: '', protocol: '' });
});

it.each([
  ['no HTTP', 'hello\r\n\r\n'],
  ['a head without end', 'HTTP/1.1 101 '.padEnd(70_000, 'x')],
])('cannot read %s', (_, text) => {
  expect(() => new ResponseHead().push(Buffer.from(text))).toThrow();
});
