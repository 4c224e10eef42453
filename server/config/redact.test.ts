import fc from 'fast-check';
import { expect, it } from 'vitest';
import { redactUrl, shown } from './redact.ts';

it.each([
  ['wss://user:pass@host:1/path?token=1', 'wss://***@host:1/path?***'],
  ['redis://:pass@host', 'redis://***@host'],
  ['redis+sentinel://:pa/ss@a:1,b:2/main', 'redis+sentinel://***@a:1,b:2/main'],
  ['rediss+cluster://me:pass@a:1,me:pass@b:2', 'rediss+cluster://***@b:2'],
  ['user:pass@host', '***@host'],
  ['ws:/user:pass@host', 'ws:/***@host'],
  ['ws://user:p@ss@host', 'ws://***@host'],
  ['ws://host/path', 'ws://host/path'],
])('shows %s as %s', (url, redacted) => expect(redactUrl(url)).toBe(redacted));

it('shows nothing of a password, whatever is in it', () => {
  const password = fc.string({ minLength: 4 }).map((text) => `SECRET${text}`);
  fc.assert(fc.property(password, (text) => !redactUrl(`ws://user:${text}@host/x`).includes('SECRET')));
});

it('shows any value on one bounded line', () => {
  expect(shown('a\nb')).toBe('"a\\nb"');
  expect(shown('plain', { bare: true })).toBe('plain');
  expect(shown('a\nb', { bare: true })).toBe('"a\\nb"');
  expect(shown('x'.repeat(1_000)).length).toBeLessThan(130);
  expect([shown(null), shown(3), shown([]), shown({}), shown(true)]).toEqual([
    'null',
    '3',
    'a list',
    'a mapping',
    'true',
  ]);
});
