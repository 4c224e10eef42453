import { expect, it } from 'vitest';
import { readByWs } from '../../wire/ws-receiver.fixture.ts';
import { clientCloseFrame, clientFrame } from './client-frames.ts';

const hex = (text: string): string => Buffer.from(text).toString('hex');

it.each([0, 1, 125, 126, 65_535, 65_536, 200_000])('frames %i bytes as a client does', (size) => {
  const payload = Buffer.alloc(size, 'x');
  const [[kind, bytes] = []] = readByWs(clientFrame(2, true, payload));
  expect([kind, bytes === payload.toString('hex')]).toEqual(['binary', true]);
});

it('frames parts, pings, and closes with and without a code', () => {
  const src = Buffer.from('..abcd..');
  const frames = [
    clientFrame(1, false, src, 2, 4),
    clientFrame(9, true, Buffer.from('p')),
    clientFrame(0, true, src, 4, 6),
    clientCloseFrame(4_000, 'wörd'),
  ];
  expect(readByWs(Buffer.concat(frames))).toEqual([
    ['ping', hex('p')],
    ['text', hex('abcd')],
    ['close', 4_000, 'wörd'],
  ]);
  expect(readByWs(clientCloseFrame(1005, ''))).toEqual([['close', 1005, '']]);
});
