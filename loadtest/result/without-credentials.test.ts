import { expect, it } from 'vitest';
import { withoutCredentials } from './without-credentials.ts';

it('leaves out who somebody is, and nothing else', () => {
  const text =
    'npm run loadtest -- --amount 5 wss://me:p@ss@host:1/a@b ws://token@[::1]/?at=@ ws://host/me@home';
  expect(withoutCredentials(text)).toBe(
    'npm run loadtest -- --amount 5 wss://***@host:1/a@b ws://***@[::1]/?at=@ ws://host/me@home',
  );
});
