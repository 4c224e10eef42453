import { describe, expect, it } from 'vitest';
import { replyTo } from '../stand/jsonrpc-echo.ts';
import { clientNamedIn, Exchange, firstCounter, leastBytes, usualBytes } from './exchange.ts';

/** What a server answers to a request: a frame, in memory of its own. */
function answered(protocol: 'echo' | 'jsonrpc', request: Buffer): Buffer {
  const header = request[1]! - 128 < 126 ? 6 : 8;
  const payload = Buffer.from(request.subarray(header));
  const reply = protocol === 'echo' ? payload : Buffer.from(replyTo(payload));
  const length =
    reply.length < 126 ? Buffer.from([reply.length]) : Buffer.from([126, reply.length >> 8, reply.length]);
  return Buffer.concat([Buffer.from([0x81]), length, reply]);
}

describe.each(['echo', 'jsonrpc'] as const)('an exchange of %s', (protocol) => {
  const sizes = [leastBytes[protocol], usualBytes[protocol], 125, 126, 134, 135, 300, 60_000];

  it.each(sizes)('knows the reply to its own message of %d bytes', (bytes) => {
    const exchange = new Exchange(protocol, bytes);
    const request = exchange.request(1_234_567, firstCounter + 8);
    expect(request.length).toBe(exchange.requestLength);
    expect(bytes).toBe(request.length - (bytes < 126 ? 6 : 8));
    const reply = answered(protocol, request);
    expect(reply.length).toBe(exchange.replyLength);
    expect(exchange.counterIn(reply, 0, 1_234_567)).toBe(firstCounter + 8);
  });

  it('refuses a reply of which any byte is another, and the reply of another client', () => {
    const exchange = new Exchange(protocol, 260);
    const reply = answered(protocol, exchange.request(7, firstCounter + 3));
    expect(exchange.counterIn(reply, 0, 8)).toBe(-1);
    for (let i = 0; i < reply.length; i++) {
      const wrong = Buffer.from(reply);
      wrong[i]! ^= 0x40;
      expect(exchange.counterIn(wrong, 0, 7)).toBe(-1);
    }
  });

  it('writes one message after the other into the same memory', () => {
    const exchange = new Exchange(protocol);
    const texts = [
      [0, 0],
      [1, 0],
      [9_999_999, 0],
      [0, 1],
    ].map(([client, round]) => exchange.request(client!, firstCounter + round!).toString('latin1'));
    expect(new Set(texts).size).toBe(4);
    expect(clientNamedIn(texts[2]!)).toBe(9_999_999);
    expect(clientNamedIn(exchange.replyText(5, firstCounter))).toBe(5);
  });
});
