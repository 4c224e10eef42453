import { describe, expect, it } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

function spendAll(budget: RetryBudget): number {
  let spent = 0;
  while (budget.spend()) spent++;
  return spent;
}

describe('RetryBudget', () => {
  it('lets a few lone failures be retried at first, and no storm', () => {
    expect(spendAll(new RetryBudget(0.1))).toBe(10);
  });

  it('lets one request in ten be retried', () => {
    const budget = new RetryBudget(0.1);
    spendAll(budget);
    let retries = 0;
    for (let request = 0; request < 1_000; request++) {
      budget.earn();
      if (budget.spend()) retries++;
    }
    expect(retries).toBeGreaterThanOrEqual(99);
    expect(retries).toBeLessThanOrEqual(100);
  });

  it('does not save up without end', () => {
    const budget = new RetryBudget(0.5);
    for (let request = 0; request < 1_000; request++) budget.earn();
    expect(spendAll(budget)).toBe(10);
  });

  it('earns nothing at a ratio of 0', () => {
    const budget = new RetryBudget(0);
    spendAll(budget);
    for (let request = 0; request < 1_000; request++) budget.earn();
    expect(budget.spend()).toBe(false);
  });
});
