import { describe, expect, it } from 'vitest';
import { numberOrText, parseRateLimit } from './rate-limit-flag.ts';

describe('parseRateLimit', () => {
  it('reads strategy, rate, burst and scope; the scope is the connection unless said', () => {
    expect(parseRateLimit('sliding-window:100/s')).toEqual({
      scope: 'connection',
      strategy: 'sliding-window',
      requestsPerSecond: 100,
    });
    expect(parseRateLimit('token-bucket:0.5/s,per=ip,burst=20')).toEqual({
      scope: 'ip',
      strategy: 'token-bucket',
      requestsPerSecond: 0.5,
      burst: 20,
    });
  });

  it.each(['connection', 'ip', 'identity', 'global'])('takes per=%s for the scope', (scope) =>
    expect(parseRateLimit(`token-bucket:5/s,per=${scope}`)).toMatchObject({ scope }),
  );

  it.each([
    '',
    'token-bucket',
    'token-bucket:5',
    'token-bucket:5/m',
    'token-bucket:-5/s',
    'a:5/s,',
    'a:5/s,color=red',
    'a:5/s,burst=',
    'a:5/s,per=route',
    'a:5/s,per=method',
    'a:5/s,per=IP',
  ])('returns undefined for %j', (text) => expect(parseRateLimit(text)).toBeUndefined());
});

it('takes decimal numbers for numbers and leaves everything else as it is', () => {
  expect(['8080', '-1', '0.5', '1e3', '0x10', ' 1', 'abc', '', '٣'].map(numberOrText)).toEqual([
    8080,
    -1,
    0.5,
    '1e3',
    '0x10',
    ' 1',
    'abc',
    '',
    '٣',
  ]);
});
