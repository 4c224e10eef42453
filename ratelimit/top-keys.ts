import type { KeySlots } from './key-slots.ts';

/** A key that has been refused something. */
export interface RefusedKey {
  readonly slot: number;
  readonly key: string;
  readonly refused: number;
}

/**
 * The `count` keys refused most, most first, in one pass; fewer when fewer have been refused at all. Keys that share an
 * overflow cell are not among them.
 */
export function topKeys(
  slots: Pick<KeySlots, 'forEachSlot'>,
  refusedOf: (slot: number) => number,
  count: number,
): RefusedKey[] {
  if (count < 1) return [];
  const top: RefusedKey[] = [];
  let least = 0;
  slots.forEachSlot((slot, key) => {
    const refused = refusedOf(slot);
    if (refused <= least) return;
    top.push({ slot, key, refused });
    // Sorting only when twice as many are there costs each of them log(count), in whatever order they come.
    if (top.length < 2 * count) return;
    keepMost(top, count);
    least = top[count - 1]!.refused;
  });
  keepMost(top, count);
  return top;
}

function keepMost(keys: RefusedKey[], count: number): void {
  keys.sort((a, b) => b.refused - a.refused);
  keys.length = Math.min(keys.length, count);
}
