import type { World } from './world.ts';

/** One sort of traffic. */
export interface Kind {
  readonly name: string;
  /** A message as most are, 100 to 600 bytes. */
  readonly small: (world: World) => object;
  /** A message of about `bytes` as JSON, at least. */
  readonly large: (world: World, bytes: number) => object;
}

/** Returns items until they are `bytes` or more as JSON. */
export function itemsOf<T>(bytes: number, item: () => T): T[] {
  const items: T[] = [];
  for (let size = 0; size < bytes;) {
    const next = item();
    items.push(next);
    size += Buffer.byteLength(JSON.stringify(next)) + 1;
  }
  return items;
}
