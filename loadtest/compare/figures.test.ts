import { expect, it } from 'vitest';
import { figuresOf } from './figures.fixture.ts';
import { medianOf, mediansOf } from './figures.ts';

it('takes the median of each figure by itself', () => {
  const runs = [
    figuresOf('nginx', 50_000, { server: 0.9 }),
    figuresOf('nginx', 70_000, { server: 0.5 }),
    figuresOf('nginx', 60_000, { server: 0.7 }),
  ];
  const middle = medianOf(runs);
  expect(middle.messagesPerSecond).toBe(60_000);
  expect(middle.cores.server).toBe(0.7);
});

it('keeps servers apart, in the order in which they came first', () => {
  const runs = [figuresOf('b', 1), figuresOf('a', 10), figuresOf('b', 3), figuresOf('a', 30)];
  expect(mediansOf(runs).map(({ server, messagesPerSecond }) => [server, messagesPerSecond])).toEqual([
    ['b', 2],
    ['a', 20],
  ]);
});
