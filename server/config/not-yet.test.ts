import { expect, it } from 'vitest';
import { completeConfig } from './load.ts';
import { notYetInEffect } from './not-yet.ts';
import type { ConfigInput } from './schema.ts';

const notices = (input: ConfigInput): string[] => notYetInEffect(completeConfig(input));

it('says nothing of defaults', () => {
  expect(notices({})).toEqual([]);
  expect(notices({ workers: 1, rateLimits: [], redis: { url: null } })).toEqual([]);
  expect(
    notices({ pools: { main: { retry: { maxRetries: 2 }, balance: 'peak-ewma', breaker: {} } } }),
  ).toEqual([]);
});

it('says nothing of codecs, profiles and permessage-deflate, which have effect', () => {
  expect(
    notices({ profile: 'bandwidth', codec: { minBytes: 1 }, pools: { main: { codec: 'zstd' } } }),
  ).toEqual([]);
  expect(notices({ listen: { permessageDeflate: 'shared' } })).toEqual([]);
});

it('warns of dedicated compressors, which the engine makes worse than the shared one', () => {
  expect(notices({ listen: { permessageDeflate: 'dedicated-256KB' } })).toEqual([
    expect.stringMatching(/^listen\.permessageDeflate: .*shared/),
  ]);
});

it.each<[string, ConfigInput]>([
  ['workers', { workers: 'auto' }],
  ['workers', { workers: 2 }],
])('says in one sentence that %s has no effect when it is given', (key, input) => {
  const sentences = notices(input);
  expect(sentences).toHaveLength(1);
  expect(sentences[0]).toMatch(new RegExp(`^${key.replaceAll('.', '\\.')} has no effect in this version`));
});
