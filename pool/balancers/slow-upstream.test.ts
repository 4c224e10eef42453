import { describe, expect, it } from 'vitest';
import { createBalancer, type BalancerName } from './create-balancer.ts';
import { simulate, type Outcome, type Simulation } from './slow-upstream.fixture.ts';
import { Xorshift32 } from './xorshift.ts';

const slow = 4;

function run(balance: BalancerName, seed: number, changes: Partial<Simulation> = {}): Outcome {
  const numbers = new Xorshift32(seed);
  const random = (): number => numbers.next();
  return simulate({
    balancer: createBalancer(balance, { random }),
    random,
    upstreams: 11,
    requestsPerSecond: 300,
    seconds: 30,
    timeoutMs: 1_000,
    // Exponential about 10 ms; the slow one takes two seconds.
    serviceMs: (upstream) => (upstream === slow ? 2_000 : -10 * Math.log(1 - random())),
    ...changes,
  });
}

const seeds = [0.1, 0.2, 0.3, 0.4, 0.5];
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value) / values.length;

describe('one slow of eleven, with a timeout of a second', () => {
  it('costs peak-ewma at most one request in a thousand', () => {
    for (const seed of seeds) expect(run('peak-ewma', seed).success).toBeGreaterThanOrEqual(0.999);
  });

  it('costs round-robin one in eleven, and least-connections more than peak-ewma', () => {
    const [peakEwma, roundRobin, leastConnections] = (
      ['peak-ewma', 'round-robin', 'least-connections'] as const
    ).map((balance) => {
      const success = mean(seeds.map((seed) => run(balance, seed).success));
      console.log(`${balance}: ${(100 * success).toFixed(3)} % answered in time`);
      return success;
    });
    expect(roundRobin).toBeLessThan(0.95);
    expect(leastConnections).toBeGreaterThan(0.95);
    expect(leastConnections).toBeLessThan(peakEwma!);
  });

  it('costs little too when it becomes slow in the midst of work', () => {
    for (const seed of seeds) {
      const { success } = run('peak-ewma', seed, {
        serviceMs: (upstream, nowMs) => (upstream === slow && nowMs > 10_000 ? 2_000 : 5 + (nowMs % 7)),
      });
      expect(success).toBeGreaterThanOrEqual(0.999);
    }
  });

  it('is over for peak-ewma when it is quick again: it is tried, and then used', () => {
    const { lastPickMs, success } = run('peak-ewma', 0.6, {
      seconds: 240,
      serviceMs: (upstream, nowMs) => (upstream === slow && nowMs < 20_000 ? 2_000 : 5 + (nowMs % 7)),
    });
    expect(lastPickMs[slow]).toBeGreaterThan(239_000);
    expect(success).toBeGreaterThanOrEqual(0.999);
  });
});
