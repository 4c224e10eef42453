/**
 * The `count` items of the highest rank, highest first, in one pass; of equal ranks those that came first. Fewer when there are fewer.
 */
export function most<T>(items: Iterable<T>, rankOf: (item: T) => number, count: number): T[] {
  const top: { readonly item: T; readonly rank: number }[] = [];
  const keepMost = (): void => {
    top.sort((a, b) => b.rank - a.rank);
    top.length = Math.min(top.length, count);
  };
  let least = -Infinity;
  for (const item of items) {
    const rank = rankOf(item);
    if (rank <= least) continue;
    top.push({ item, rank });
    // Sorting only when twice as many are there costs each of them log(count), in whatever order they come.
    if (top.length < 2 * count) continue;
    keepMost();
    least = top[count - 1]?.rank ?? Infinity;
  }
  keepMost();
  return top.map(({ item }) => item);
}
