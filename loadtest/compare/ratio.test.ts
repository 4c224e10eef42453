import { expect, it } from 'vitest';
import { figuresOf } from './figures.fixture.ts';
import { ratioOf, verdictOf } from './ratio.ts';

const a = figuresOf('request', 90_000, { server: 0.9 });
const b = figuresOf('nginx', 45_000, { server: 0.8 });

it('divides round trips, and CPU times the other way round', () => {
  const ratio = ratioOf(a, b, 2);
  expect(ratio.ratio).toBeCloseTo(2);
  expect(ratio.perCpuSecond).toBeCloseTo((0.8 / 45_000) * (90_000 / 0.9));
  expect(ratio.refused).toEqual([]);
  expect(verdictOf(ratio)).toBe('met');
});

it.each([
  [figuresOf('request', 90_000, { loader: 1, server: 0.8 }), b, ['request']],
  [a, figuresOf('nginx', 45_000, { loader: 1, server: 0.8 }), ['nginx']],
  [
    figuresOf('request', 90_000, { backend: 0.99, server: 0.8 }),
    figuresOf('nginx', 45_000, { loader: 1 }),
    ['request', 'nginx'],
  ],
])('is refused when either was held back, and says who', (one, other, who) => {
  const ratio = ratioOf(one, other, 2);
  expect(ratio.ratio).toBeUndefined();
  expect(ratio.refused.map(({ of }) => of.server)).toEqual(who);
  expect(ratio.perCpuSecond).toBeGreaterThan(0);
  expect(verdictOf(ratio)).toBe('');
});

it('has no CPU times either when other programs were in the way', () => {
  const ratio = ratioOf(a, figuresOf('nginx', 45_000, { others: 0.5 }));
  expect(ratio).toMatchObject({ ratio: undefined, perCpuSecond: undefined });
});

it('misses a goal by however little', () => {
  expect(verdictOf(ratioOf(a, figuresOf('nginx', 45_010), 2))).toBe('missed');
  expect(verdictOf(ratioOf(a, b))).toBe('');
});
