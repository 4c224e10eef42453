import { describe, expect, it } from 'vitest';
import { codecNames } from '../../codec/registry.ts';
import { loadConfig } from './load.ts';
import { profileNames, profiles, type ProfileName } from './profiles.ts';
import type { Config } from './schema.ts';

function load(file: object, env: NodeJS.ProcessEnv = {}, flags: Record<string, string> = {}): Config {
  return loadConfig({ file: 'w.json', env, flags, readFile: () => JSON.stringify(file) }).config;
}

it.each<[ProfileName, string, number, object]>([
  ['latency', 'zstd', 2_048, { zstd: { level: 1, dictionary: null } }],
  ['bandwidth', 'brotli', 512, { brotli: { quality: 4 } }],
  ['balanced', 'gzip', 1_024, { gzip: { level: 6 } }],
  ['cpu', 'zstd', 5_120, { zstd: { level: 1, dictionary: null } }],
])('%s prefers %s from %i bytes', (profile, codec, minBytes, settings) => {
  const config = load({ profile });
  expect(config.codec).toMatchObject({ minBytes, ...settings });
  expect(config.codec.offer[0]).toBe(codec);
});

it.each(profileNames)('%s offers all codecs that make messages smaller', (profile) => {
  const compressing = codecNames.filter((name) => name !== 'identity');
  expect(load({ profile }).codec.offer.toSorted()).toEqual(compressing.toSorted());
});

it.each(['throughput', 'availability'] as const)('%s leaves the codecs alone', (profile) => {
  expect(load({ profile }).codec).toEqual(load({}).codec);
});

it('says what each is for', () => {
  for (const { description } of Object.values(profiles)) expect(description).toMatch(/^[A-Z].*\.$/);
});

describe('whatever is given wins over a profile', () => {
  const profile = 'latency';
  const file = { profile, codec: { minBytes: 1, offer: ['gzip'] }, pools: { main: { minConnections: 2 } } };

  it('in the file, key by key, lists as a whole', () => {
    const { codec, pools } = load(file);
    expect(codec).toMatchObject({ minBytes: 1, offer: ['gzip'], zstd: { level: 1 } });
    expect(pools['main']).toMatchObject({ minConnections: 2 });
  });

  it('in the environment, also when the profile itself is a flag', () => {
    const { codec, pools } = load(
      { profile: 'cpu' },
      { WSLUICE_CODEC: 'brotli,zstd', WSLUICE_MIN_CONNECTIONS: '3' },
      { profile },
    );
    expect(codec).toMatchObject({ minBytes: 2_048, offer: ['brotli', 'zstd'] });
    expect(pools['main']?.minConnections).toBe(3);
  });

  it('in a flag, also when the profile is in the environment', () => {
    const { codec, pools } = load(
      {},
      { WSLUICE_PROFILE: profile },
      { codec: 'gzip', minConnections: '0', balance: 'random' },
    );
    expect(codec).toMatchObject({ minBytes: 2_048, offer: ['gzip'] });
    expect(pools['main']).toMatchObject({ minConnections: 0, balance: 'random' });
  });
});
