import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { registerRateLimitFamilies, type RateLimitFigures } from './ratelimit-families.ts';

const nothing: RateLimitFigures = { decisions: [], keys: [], sharedUp: undefined };

function publish(figures: { now: RateLimitFigures }): () => Promise<string[]> {
  const registry = new Registry();
  registerRateLimitFamilies(registry, () => figures.now);
  return async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('wsluice'));
}

it('publishes what there is, at 0 too', async () => {
  const now: RateLimitFigures = {
    decisions: [
      ['ip', 'allowed', 0],
      ['ip', 'rejected', 3],
    ],
    keys: [['ip', 0]],
    sharedUp: undefined,
  };
  expect(await publish({ now })()).toEqual([
    'wsluice_ratelimit_decisions_total{scope="ip",decision="allowed"} 0',
    'wsluice_ratelimit_decisions_total{scope="ip",decision="rejected"} 3',
    'wsluice_ratelimit_keys{scope="ip"} 0',
  ]);
});

it('adds up the limits of one scope, anew at every scrape', async () => {
  const figures = { now: nothing };
  const scrape = publish(figures);
  await scrape();
  figures.now = {
    decisions: [
      ['ip', 'allowed', 40],
      ['ip', 'allowed', 2],
      ['method', 'dry_run', 1],
    ],
    keys: [
      ['ip', 5],
      ['ip', 6],
    ],
    sharedUp: undefined,
  };
  for (let round = 0; round < 2; round += 1) {
    const lines = await scrape();
    expect(lines.filter((line) => !line.endsWith(' 0'))).toEqual([
      'wsluice_ratelimit_decisions_total{scope="ip",decision="allowed"} 42',
      'wsluice_ratelimit_decisions_total{scope="method",decision="dry_run"} 1',
      'wsluice_ratelimit_keys{scope="ip"} 11',
    ]);
  }
});

it('says whether Redis is up, where there is one', async () => {
  const figures = { now: nothing };
  const scrape = publish(figures);
  const shared = async (): Promise<string[]> => (await scrape()).filter((line) => line.includes('shared_up'));
  expect(await shared()).toEqual([]);
  figures.now = { ...nothing, sharedUp: true };
  expect(await shared()).toEqual(['wsluice_ratelimit_shared_up 1']);
  figures.now = { ...nothing, sharedUp: false };
  expect(await shared()).toEqual(['wsluice_ratelimit_shared_up 0']);
  figures.now = nothing;
  expect(await shared()).toEqual([]);
});
