import { expect, test } from 'vitest';
import { RefusalWatch } from './refusal-watch.ts';

test('tells of a flood twice, when it begins and when nothing has been refused for ten seconds', () => {
  let refused = 0;
  const told: unknown[] = [];
  const watch = new RefusalWatch({
    count: () => refused,
    onBegin: () => told.push('begins'),
    onEnd: (outcome) => told.push(outcome),
  });
  watch.tick(0);
  expect(told).toEqual([]);
  for (let nowMs = 250; nowMs <= 5_000; nowMs += 250) {
    refused += 1_000;
    watch.tick(nowMs);
  }
  expect(told).toEqual(['begins']);
  for (let nowMs = 5_250; nowMs < 15_000; nowMs += 250) watch.tick(nowMs);
  expect(told).toEqual(['begins']);
  watch.tick(15_000);
  watch.stop(15_250);
  expect(told).toEqual(['begins', { refused: 20_000, forMs: 14_750 }]);
});

test('ends what goes on when there is nothing to watch any more', () => {
  let refused = 0;
  const told: unknown[] = [];
  const watch = new RefusalWatch({
    count: () => refused,
    onBegin: () => told.push('begins'),
    onEnd: (outcome) => told.push(outcome),
  });
  refused = 3;
  watch.tick(1_000);
  watch.stop(1_250);
  watch.stop(1_500);
  expect(told).toEqual(['begins', { refused: 3, forMs: 250 }]);
});
