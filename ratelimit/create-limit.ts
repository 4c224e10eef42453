import type { NamedLimit } from './all-limits.ts';
import { ConnectionSlots } from './connection-slots.ts';
import { KeySlots } from './key-slots.ts';
import { keyedBy, type LimitConfig } from './limit-config.ts';
import { Limit } from './limit.ts';
import type { Limiter } from './limiter.ts';
import { OneSlot, type SlotSource } from './slot-source.ts';

/** What a limiter is made for. */
export interface LimiterParts {
  readonly config: LimitConfig;
  readonly name: string;
  readonly slots: number;
  readonly onDecided: (slot: number) => void;
}

export interface LimitOptions {
  /** How many connections there can be at once. */
  readonly maxConnections: number;
  /** How many keys a limit remembers. */
  readonly maxKeysPerLimit: number;
  /** Seeds the hashes of keys. */
  readonly secret: string;
  /** Makes a limiter with that many slots; `onDecided` is for those that are `undecided` at times. */
  readonly createLimiter: (parts: LimiterParts) => Limiter;
}

/** Makes a limit of which nothing is used, with room for all who can be under it. */
export function createLimit(
  { name, config, isImplied }: NamedLimit,
  { maxConnections, maxKeysPerLimit, secret, createLimiter }: LimitOptions,
): Limit {
  const make = (slots: number, slotsFor: (limit: Limit) => SlotSource): Limit => {
    const onDecided = (slot: number): void => limit.decided(slot);
    const limiter = createLimiter({ config, name, slots, onDecided });
    const limit: Limit = new Limit({ name, config, isImplied, limiter, slotCount: slots });
    limit.slots = slotsFor(limit);
    return limit;
  };
  if (isOneForAll(config)) return make(1, (limit) => new OneSlot(limit));
  if (keyedBy(config) === 'connection') {
    const capacity = maxConnections + 1;
    return make(capacity, (limit) => new ConnectionSlots(limit, capacity));
  }
  const keys = { maxKeys: maxKeysPerLimit, overflowCells: 2 ** Math.ceil(Math.log2(maxKeysPerLimit)) };
  const slots = KeySlots.slotCount(keys.maxKeys, keys.overflowCells);
  return make(slots, (limit) => new KeySlots({ ...keys, limiter: limit, secret }));
}

/** How many keys a limit keeps apart at once, as a rule. */
export function keyCapacity(config: LimitConfig, maxKeysPerLimit: number): number {
  return isOneForAll(config) ? 1 : maxKeysPerLimit;
}

function isOneForAll(config: LimitConfig): boolean {
  const eachRoute = config.scope === 'route' && config.match === null;
  return keyedBy(config) === 'global' && !eachRoute;
}
