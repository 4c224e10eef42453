import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findCeiling, type Purpose } from './ceiling.ts';

/** A server that keeps its promise up to `most` messages per second, and now and then does not although it could. */
function server(most: number, noise = () => false) {
  const tried: [rate: number, purpose: Purpose][] = [];
  const keeps = (rate: number, purpose: Purpose): Promise<boolean> => {
    tried.push([rate, purpose]);
    return Promise.resolve(rate <= most && !noise());
  };
  return { tried, keeps };
}

const range = { leastRate: 10, mostRate: 1_000_000 };

describe('findCeiling', () => {
  it('finds the ceiling to 6 %, wherever it starts, in few steps', async () => {
    const rates = fc.integer({ min: 10, max: 900_000 });
    await fc.assert(
      fc.asyncProperty(rates, rates, async (most, startRate) => {
        const { keeps, tried } = server(most);
        const { ratePerSecond, confirmed, brokenAt } = await findCeiling({ ...range, startRate, keeps });
        expect(confirmed).toBe(true);
        expect(ratePerSecond).toBeLessThanOrEqual(most);
        expect(ratePerSecond).toBeGreaterThan(most > 50 ? most / 1.07 : most / 1.3);
        expect(brokenAt).toBeGreaterThan(most);
        expect(tried.length).toBeLessThan(70);
      }),
    );
  });

  it('confirms its answer with a run of its own, last', async () => {
    const { keeps, tried } = server(20_000);
    const { ratePerSecond } = await findCeiling({ ...range, startRate: 5_000, keeps });
    expect(tried.at(-1)).toEqual([ratePerSecond, 'confirmation']);
  });

  it('is not led astray by one failure in ten', async () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
    let good = 0;
    for (let run = 0; run < 100; run++) {
      const { keeps } = server(30_000, () => random() < 0.1);
      const { ratePerSecond } = await findCeiling({ ...range, startRate: 4_000, keeps });
      if (ratePerSecond! > 30_000 * 0.85) good++;
    }
    expect(good).toBeGreaterThan(85);
  });

  it('goes lower when a longer run does not keep what a short one did', async () => {
    const longRunsKeep = 17_000;
    const keeps = (rate: number, purpose: Purpose): Promise<boolean> =>
      Promise.resolve(rate <= (purpose === 'confirmation' ? longRunsKeep : 20_000));
    const { ratePerSecond, confirmed } = await findCeiling({ ...range, startRate: 5_000, keeps });
    expect(confirmed).toBe(true);
    expect(ratePerSecond).toBeLessThanOrEqual(longRunsKeep);
    expect(ratePerSecond).toBeGreaterThan(longRunsKeep * 0.9);
  });

  it('says that it is not confirmed when no longer run keeps', async () => {
    const keeps = (rate: number, purpose: Purpose): Promise<boolean> =>
      Promise.resolve(rate <= 20_000 && purpose !== 'confirmation');
    expect((await findCeiling({ ...range, startRate: 5_000, keeps })).confirmed).toBe(false);
  });

  it('ends where no rate keeps, and where all do', async () => {
    const none = await findCeiling({ ...range, startRate: 5_000, keeps: () => Promise.resolve(false) });
    expect(none).toEqual({ ratePerSecond: undefined, confirmed: false, brokenAt: 10 });
    const all = await findCeiling({ ...range, startRate: 5_000, keeps: () => Promise.resolve(true) });
    expect(all).toEqual({ ratePerSecond: 1_000_000, confirmed: true, brokenAt: undefined });
  });
});
