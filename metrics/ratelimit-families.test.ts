import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import {
  rateLimitDecisions,
  rateLimitScopes,
  registerRateLimitFamilies,
  type RateLimitFigures,
} from './ratelimit-families.ts';

const nothing: RateLimitFigures = { decisions: [], keys: [], sharedUp: undefined };

function publish(figures: { now: RateLimitFigures }): () => Promise<string[]> {
  const registry = new Registry();
  registerRateLimitFamilies(registry, () => figures.now);
  return async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('wsluice'));
}

it('publishes every scope with every decision at 0 from the start', async () => {
  expect(await publish({ now: nothing })()).toEqual([
    ...rateLimitScopes.flatMap((scope) =>
      rateLimitDecisions.map(
        (decision) => `wsluice_ratelimit_decisions_total{scope="${scope}",decision="${decision}"} 0`,
      ),
    ),
    ...rateLimitScopes.map((scope) => `wsluice_ratelimit_keys{scope="${scope}"} 0`),
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
