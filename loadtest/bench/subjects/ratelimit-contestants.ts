import { RateLimiterMemory } from 'rate-limiter-flexible';
import { createLimiter, strategyNames } from '../../../ratelimit/strategies.ts';
import type { StrategyName } from '../../../ratelimit/strategies.ts';
import { check, checksPerTurn, ownCheck } from './ratelimit-checks.ts';
import type { Check } from './ratelimit-checks.ts';

export const keyCount = 10_000;
const orderedKeys = 1 << 16;
export const flexibleName = 'rate-limiter-flexible';

/** One way to check random keys, of which each uses half of what it may. */
export interface Contestant {
  readonly name: string;
  /** What a guide to such servers says that this takes. */
  readonly guideNs?: number;
  /** Does this many checks, a multiple of those in a turn; returns how many were refused. */
  readonly pass: (checks: number) => number | Promise<number>;
}

const settings = { ratePerSecond: 100, burst: 100, windowMs: 1000 };
const msPerCheck = 1000 / (settings.ratePerSecond * 0.5 * keyCount);
const guideNs: Readonly<Record<StrategyName, number>> = {
  'token-bucket': 476,
  'leaky-bucket': 526,
  'sliding-window': 588,
};

/** Each strategy in a loop of its own, refusing, and in a loop that calls all three; then those that look a key up. */
export async function contestants(): Promise<Contestant[]> {
  const order = Uint32Array.from({ length: orderedKeys }, () => Math.floor(Math.random() * keyCount));
  const own = await Promise.all(strategyNames.map((name) => ownCheck(name)));
  const ownOfRefusing = await Promise.all(strategyNames.map((name) => ownCheck(`refusing-${name}`)));
  const keys = Array.from(order, (slot) => `client-${slot}`);
  return [
    ...strategyNames.map((name, i) => ({ ...allowing(name, order, own[i]!), name, guideNs: guideNs[name] })),
    ...strategyNames.map((name, i) => ({
      ...refusing(name, order, ownOfRefusing[i]!),
      name: `${name}, refusing`,
    })),
    ...strategyNames.map((name) => ({ ...allowing(name, order, check), name: `${name}, call of all three` })),
    { ...keyed(keys), name: 'token-bucket and a Map of keys' },
    { ...flexible(keys), name: flexibleName },
  ];
}

type Passing = Pick<Contestant, 'pass'>;

function allowing(name: StrategyName, order: Uint32Array, check: Check): Passing {
  const checks = {
    ...{ order, msPerCheck, nowMs: 1, position: 0 },
    limiter: createLimiter(name, settings, keyCount),
  };
  return { pass: (count) => check(checks, count) };
}

function refusing(name: StrategyName, order: Uint32Array, check: Check): Passing {
  const checks = {
    ...{ order, msPerCheck, nowMs: 1, position: 0 },
    limiter: createLimiter(name, settings, keyCount),
  };
  for (let slot = 0; slot < keyCount; slot++) checks.limiter.block(slot, 1e9, 0);
  return { pass: (count) => check(checks, count) };
}

function keyed(keys: readonly string[]): Passing {
  const limiter = createLimiter('token-bucket', settings, keyCount);
  const slots = new Map([...new Set(keys)].map((key, slot) => [key, slot]));
  let [nowMs, position] = [1, 0];
  return {
    pass: (count) => {
      let refused = 0;
      for (const end = position + count; position < end; position++) {
        if (position % checksPerTurn === 0) nowMs += checksPerTurn * msPerCheck;
        if (limiter.take(slots.get(keys[position % keys.length]!)!, 1, nowMs) > 0) refused++;
      }
      return refused;
    },
  };
}

/** Always allows: its promises are slower still when they are rejected. */
function flexible(keys: readonly string[]): Passing {
  const limiter = new RateLimiterMemory({ points: 1e9, duration: 60 });
  return {
    pass: async (count) => {
      let refused = 0;
      for (let i = 0; i < count; i++) {
        const { remainingPoints } = await limiter.consume(keys[i]!);
        if (remainingPoints === 0) refused++;
      }
      return refused;
    },
  };
}
