import { describe, expect, it } from 'vitest';
import { hostProblem, isLoopback, normalOrigin, originProblem, rangeProblem } from './addresses.ts';

describe('originProblem', () => {
  it.each([
    'https://app.example.com',
    'http://localhost:3000',
    'https://[::1]:8443',
    'chrome-extension://abcdef',
  ])('takes %s', (origin) => expect(originProblem(origin)).toBeUndefined());

  it.each([
    'null',
    '*',
    'https://*.example.com',
    'https://example.com/',
    'https://example.com/app',
    'https://example.com?x',
    'https://example.com#x',
    'https://user@example.com',
    'https://example.com:99999',
    'example.com',
    'https://',
    'https://a b',
    '',
  ])('refuses %j', (origin) => expect(originProblem(origin)).toBeTypeOf('string'));
});

describe('normalOrigin', () => {
  it.each([
    ['HTTPS://App.Example.com:443', 'https://app.example.com'],
    ['http://example.com:80', 'http://example.com'],
    ['https://example.com:8443', 'https://example.com:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['Chrome-Extension://ABC', 'chrome-extension://abc'],
  ])('writes %s as browsers send it', (origin, normal) => expect(normalOrigin(origin)).toBe(normal));
});

describe('rangeProblem', () => {
  it.each(['127.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '::1', 'fd00::/8', '::ffff:10.0.0.1/128'])(
    'takes %s',
    (range) => expect(rangeProblem(range)).toBeUndefined(),
  );

  it.each([
    '10.0.0.0/33',
    '::1/129',
    '10.0.0/8',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'localhost',
    'fe80::1%eth0',
    '10.0.0.0/-1',
    '',
  ])('refuses %j', (range) => expect(rangeProblem(range)).toBeTypeOf('string'));
});

describe('hostProblem', () => {
  it.each(['0.0.0.0', '::', 'localhost', 'gateway.internal', 'a-b.c'])('takes %s', (host) =>
    expect(hostProblem(host)).toBeUndefined(),
  );

  it.each(['', '1.2.3', '999.1.1.1', 'a b', 'http://x', '-a', 'a'.repeat(300)])('refuses %j', (host) =>
    expect(hostProblem(host)).toBeTypeOf('string'),
  );
});

it('knows which hosts only this machine can reach', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.evil.example'].some(isLoopback)).toBe(
    false,
  );
});
