import { median } from '../result/median.ts';

/** A value at a time. */
export type Point = readonly [at: number, value: number];

/** More points than this are thinned out first: the slopes of all pairs are looked at. */
const mostPoints = 300;

/**
 * Returns by how much `value` grows per unit of `at`: the median of the slopes between all pairs (Theil and Sen), which one garbage
 * collection or one burst does not move, as it would move a least-squares line. 0 for fewer than two points.
 */
export function medianSlope(points: readonly Point[]): number {
  const kept = thinned(points);
  const slopes: number[] = [];
  for (const [i, [at, value]] of kept.entries())
    for (const [laterAt, laterValue] of kept.slice(i + 1))
      if (laterAt > at) slopes.push((laterValue - value) / (laterAt - at));
  return slopes.length === 0 ? 0 : median(slopes);
}

function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / mostPoints);
  return step <= 1 ? points : points.filter((_, i) => i % step === 0);
}
