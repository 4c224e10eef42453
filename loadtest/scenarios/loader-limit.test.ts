import { expect, it } from 'vitest';
import { stageWith } from './evidence.fixture.ts';
import { loaderBound } from './loader-limit.ts';

it('names the stages in which the loader could not do more', () => {
  const stages = [stageWith(), stageWith({ name: 'fast', beganAtMs: 1_020_000, endedAtMs: 1_030_000 })];
  const loader = (second: number, cores: number): Parameters<typeof loaderBound>[1][number] => ({
    atMs: 1_000_000 + second * 1_000,
    processes: { loader: { cores, residentBytes: 1 } },
  });
  expect(loaderBound(stages, [loader(3, 0.3), loader(15, 1), loader(22, 0.95), loader(25, 1.05)])).toEqual([
    'fast',
  ]);
  expect(loaderBound(stages, [])).toEqual([]);
});
