import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { methodTable } from '../jsonrpc/method-table.ts';
import { Priority } from '../waiting/priority.ts';
import { stepKinds, takeStep, type Step } from './request-steps.fixture.ts';
import { World, type WorldConfig } from './request-world.fixture.ts';

const seed = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000_000);

const config: fc.Arbitrary<Omit<WorldConfig, 'coded'>> = fc.record({
  endpoints: fc.integer({ min: 1, max: 2 }),
  maxConnections: fc.integer({ min: 1, max: 3 }),
  maxBufferedBytes: fc.constantFrom(200, 65_536),
  maxClients: fc.constantFrom(2, 3, 6, 20),
  maxWaiting: fc.constantFrom(Infinity, 6),
  balance: fc.constantFrom('random', 'round-robin', 'least-connections'),
  scaling: fc.constantFrom(
    { scaleUpThreshold: 0.7, scaleDownThreshold: 0.3, scaleIntervalMs: 5_000, maxLifetimeMs: 0 },
    { scaleUpThreshold: 0.7, scaleDownThreshold: 0.6, scaleIntervalMs: 100, maxLifetimeMs: 0 },
    { scaleUpThreshold: 0.5, scaleDownThreshold: 0.2, scaleIntervalMs: 300, maxLifetimeMs: 1_000 },
  ),
  limits: fc.record({
    minConnections: fc.integer({ min: 0, max: 2 }),
    maxInFlightPerConnection: fc.constantFrom(4, 4, 1, 2),
    maxInFlightPerClient: fc.constantFrom(6, 3, 20),
    maxBatchSize: fc.constant(20),
    maxBatchReplyBytes: fc.constant(100_000),
    requestTimeoutMs: fc.constant(2_000),
    queue: fc.record({
      maxSize: fc.constantFrom(6, 6, 0, 2),
      maxBytes: fc.constantFrom(1_000_000, 300),
      maxBytesPerClient: fc.constant(1_000_000),
      timeoutMs: fc.constant(500),
      priority: fc.constantFrom(
        { high: 3, medium: 2, low: 1 },
        { high: 1, medium: { weight: 5, maxSize: 2 }, low: { weight: 1, maxSize: 1 } },
      ),
    }),
    maxRetries: fc.constantFrom(1, 1, 0, 2),
    retryBudgetRatio: fc.constantFrom(0.1, 0),
    retryBackoffMs: fc.constantFrom(0, 100, 40),
    faultCodes: fc.constant(new Set<number>()),
    methods: fc.constant(
      methodTable({
        stateful: ['stateful'],
        idempotent: ['idempotent'],
        priorities: [['idempotent', Priority.high]],
      }),
    ),
    idCeiling: fc.constantFrom(2 ** 52, 30, 60),
  }),
});

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.tuple(fc.nat(stepKinds - 1), fc.nat(0xffff), fc.nat(0xffff)),
  { maxLength: 500, size: 'max' },
);

/** What a run that is worth something has seen. */
const wantedEnds = [
  'reply',
  'error reply',
  'abandoned',
  'batch',
  'reply in a batch',
  'moved',
  'retried',
  'backed off',
  'not retried',
  'recycled',
  'congested',
  '-32001',
  '-32002',
  '-32003',
  '-32000 at once',
  '-32003 at once',
  '-32600 at once',
  'refused with -32600',
  'refused with -32700',
];

const wantedOfCoded = ['packed late', 'unpacked late', 'lost before the pool knows'];

describe('request mode against a reference map', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    { upstreams: 'plain', coded: false, wantedSteps: 200_000, alsoWanted: [] },
    { upstreams: 'coded', coded: true, wantedSteps: 100_000, alsoWanted: wantedOfCoded },
  ])(
    'keeps every invariant of multiplexing in $wantedSteps random steps over $upstreams upstreams',
    { timeout: 300_000 },
    ({ coded, wantedSteps, alsoWanted }) => {
      console.log(`seed of the model: ${seed} (set WSLUICE_TEST_SEED to repeat)`);
      const ends = new Map<string, number>();
      let done = 0;
      const run = fc.property(config, steps, fc.boolean(), (worldConfig, all, isSilent) => {
        const world = new World({ ...worldConfig, coded }, (ms) => vi.advanceTimersByTime(ms));
        try {
          for (const step of all) takeStep(world, step);
          world.settle(isSilent);
        } catch (error) {
          throw new Error(`${(error as Error).message}\n  after ${world.trace.slice(-40).join(', ')}`, {
            cause: error,
          });
        } finally {
          vi.clearAllTimers();
        }
        done += all.length;
        for (const [end, count] of world.model.ends) ends.set(end, (ends.get(end) ?? 0) + count);
      });
      for (let round = 0; done < wantedSteps; round++)
        fc.assert(run, {
          ...{ seed: seed + round, numRuns: 50 },
          plugins: [fc.interruptAfterTimeLimit(20_000)],
        });
      expect([...wantedEnds, ...alsoWanted].filter((end) => !ends.has(end))).toEqual([]);
      console.log(`${done} steps:`, Object.fromEntries(ends));
    },
  );
});
