import { expect, it } from 'vitest';
import { webSocketUrl } from './web-socket-url.ts';

it('takes addresses of WebSockets, with and without TLS', () => {
  expect(webSocketUrl('ws://localhost:8080/ws?a=b').search).toBe('?a=b');
  expect(webSocketUrl('wss://[::1]/').hostname).toBe('[::1]');
});

it.each([
  ['nonsense', 'nonsense is no address'],
  ['ws://', 'is no address'],
  ['localhost:8080', 'no WebSocket address'],
  ['HTTPS://h/ws', 'probably wss://h/ws'],
  ['ws://h/#x', 'no fragment (#x)'],
])('refuses %s', (text, why) => {
  expect(() => webSocketUrl(text)).toThrow(why);
});
