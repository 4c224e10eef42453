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
  return median(slopes);
}

/** Returns the median, 0 of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function thinned(points: readonly Point[]): readonly Point[] {
  const step = Math.ceil(points.length / mostPoints);
  return step <= 1 ? points : points.filter((_, i) => i % step === 0);
}
