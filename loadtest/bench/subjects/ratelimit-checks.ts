import type { Limiter } from '../../../ratelimit/limiter.ts';

/** Which keys are asked for again and again, and how the clock goes by meanwhile. */
export interface Checks {
  /** As many as fill whole turns. */
  readonly order: Uint32Array;
  readonly limiter: Limiter;
  readonly msPerCheck: number;
  nowMs: number;
  position: number;
}

export type Check = typeof check;

/** Checks in one turn of the event loop, with one clock read. */
export const checksPerTurn = 64;

/** Takes 1 for each key, as many as that; returns how many were refused. */
export function check(checks: Checks, count: number): number {
  let refused = 0;
  for (const end = checks.position + count; checks.position < end; checks.position += checksPerTurn) {
    checks.nowMs += checksPerTurn * checks.msPerCheck;
    refused += checkTurn(checks, checks.position % checks.order.length, checks.nowMs);
  }
  return refused;
}

function checkTurn({ order, limiter }: Checks, from: number, nowMs: number): number {
  let refused = 0;
  for (let i = from; i < from + checksPerTurn; i++) {
    if (limiter.take(order[i]!, 1, nowMs) > 0) refused++;
  }
  return refused;
}

/** A copy of `check` that the engine compiles by itself: for the one kind of limiter it meets, not for a call of any of three. */
export async function ownCheck(name: string): Promise<Check> {
  const copy = (await import(`./ratelimit-checks.ts?${name}`)) as { check: Check };
  return copy.check;
}
