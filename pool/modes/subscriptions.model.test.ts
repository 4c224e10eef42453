import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SubscriptionWorld } from './subscription-world.fixture.ts';

type Step = readonly [kind: number, which: number, detail: number];

const weighted: readonly (readonly [
  number,
  (world: SubscriptionWorld, which: number, detail: number) => void,
])[] = [
  [3, (world) => world.connect()],
  [2, (world, which) => world.leave(which)],
  [8, (world, which, detail) => world.subscribe(which, detail)],
  [3, (world, which, detail) => world.unsubscribe(which, detail)],
  [10, (world, which, detail) => world.answer(which, detail)],
  [12, (world, which, detail) => world.publish(which, detail)],
  [1, (world, which) => world.kill(which)],
  [1, (world, which) => world.retire(which)],
  [4, (world, which) => world.open(which)],
  [4, (world, which) => world.tick(which % 300)],
];
const acts = weighted.flatMap(([weight, act]) => Array.from({ length: weight }, () => act));

/** WSLUICE_TEST_SEED repeats a run. */
const seed = Number(process.env['WSLUICE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('subscriptions against a reference', () => {
  it.each([
    ['each upstream by itself', false],
    ['shared upstream', true],
  ])(
    'reach all their owners and nobody else, or their owners are told: %s',
    { timeout: 60_000 },
    (_, coalesce) => {
      const tally: Record<string, number> = {};
      fc.assert(
        fc.property(
          fc.array(fc.tuple(fc.nat(acts.length - 1), fc.nat(1_000), fc.nat(1_000)), {
            minLength: 50,
            maxLength: 200,
            size: 'max',
          }),
          (steps: Step[]) => {
            const world = new SubscriptionWorld(coalesce);
            for (let n = 0; n < 4; n++) world.connect();
            world.open(0);
            for (const [kind, which, detail] of steps) {
              acts[kind]!(world, which, detail);
              world.check();
            }
            world.settle();
            world.pool.mode.close(1001, '');
            for (const [what, count] of Object.entries(world.tally)) tally[what] = (tally[what] ?? 0) + count;
          },
        ),
        { seed, numRuns: 100, endOnFailure: true },
      );
      for (const what of ['events', 'early', 'restored', 'foreign'])
        expect(tally[what], `${what}, seed ${seed}`).toBeGreaterThan(0);
    },
  );
});
