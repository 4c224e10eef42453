import { setTimeout as sleep } from 'node:timers/promises';
import { blackHole, chop, delay, halfClose, reset, throttle, type Direction, type Fault } from './fault.ts';
import type { FaultProxy } from './fault-proxy.ts';

/** One fault of a plan: how long nothing is wrong before it, and how long it lasts. */
export interface PlannedFault {
  readonly calmMs: number;
  readonly fault: Fault;
  readonly lastsMs: number;
}

const oneWay: readonly Direction[] = ['to the backend', 'to the gateway'];

/** The next fault of an endless plan; the same numbers give the same plan. */
export function drawFault(random: () => number): PlannedFault {
  const between = (least: number, most: number): number => Math.round(least + random() * (most - least));
  const direction = oneWay[between(0, 1)]!;
  const directions = random() < 0.5 ? oneWay : [direction];
  const drawn = between(0, 5);
  const [fault, mostMs] = (
    [
      [delay(between(5, 120), directions), 2_500],
      [throttle(between(2_000, 60_000), directions), 2_500],
      [chop(directions), 1_000],
      [reset(), 50],
      [blackHole(directions), 4_000],
      [halfClose(direction), 50],
    ] as const
  )[drawn]!;
  return { calmMs: between(200, 2_500), fault, lastsMs: between(mostMs / 10, mostMs) };
}

/** Imposes what is drawn on a proxy, one after the other, for as long as it `goesOn`; gives how often each kind of fault came. */
export async function playFaults(
  proxy: FaultProxy,
  random: () => number,
  goesOn: () => boolean,
): Promise<ReadonlyMap<Fault['name'], number>> {
  const played = new Map<Fault['name'], number>();
  while (goesOn()) {
    const { calmMs, fault, lastsMs } = drawFault(random);
    await sleep(calmMs);
    proxy.impose(fault);
    await sleep(lastsMs);
    proxy.lift();
    played.set(fault.name, (played.get(fault.name) ?? 0) + 1);
  }
  return played;
}
