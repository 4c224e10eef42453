import { bench, do_not_optimize } from 'mitata';
import type { Limiter } from './limiter.ts';
import { createLimiter, type StrategyName } from './strategies.ts';

const keys = 10_000;
const settings = { ratePerSecond: 100, burst: 100, windowMs: 1000 };
const order = Uint32Array.from({ length: 1 << 16 }, () => Math.floor(Math.random() * keys));
/** Half of what the limits allow. */
const msPerCheck = 1000 / (settings.ratePerSecond * 0.5 * keys);
/** The clock is read once for all messages of one turn of the event loop. */
const checksPerTurn = 64;

/** The figures are for one check. */
export const workOf = (): { readonly operations: number } => ({ operations: checksPerTurn });

/**
 * Registers what a check of one of 10,000 keys in random order costs. A file, and so a process, has one strategy: a call that meets several of
 * them is slower, and limits of one strategy never make it.
 */
export function benchChecks(name: StrategyName): void {
  const limiter = createLimiter(name, settings, keys);
  const blocked = createLimiter(name, settings, keys);
  for (let slot = 0; slot < keys; slot++) blocked.block(slot, 1e9, 0);
  bench(`${name}, allowed`, turnsOf(limiter));
  bench(`${name}, refused`, turnsOf(blocked));
}

function turnsOf(limiter: Limiter): () => void {
  let checks = 0;
  return () => {
    const nowMs = Math.floor(checks * msPerCheck);
    let refused = 0;
    for (const end = checks + checksPerTurn; checks < end; checks++)
      if (limiter.take(order[checks & 0xffff]!, 1, nowMs) > 0) refused++;
    do_not_optimize(refused);
  };
}
