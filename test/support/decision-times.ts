import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from './client.ts';
import { isRefused, request } from './volley.ts';

/** What became of requests, and how long that took. */
export interface DecisionTimes {
  readonly answered: number;
  readonly refused: number;
  readonly slowestMs: number;
}

/** Sends that many requests at once and times each from sending to its answer or refusal; throws when one has none within 5 s. */
export async function timeDecisions(client: Client, count: number, method?: string): Promise<DecisionTimes> {
  const startedMs = performance.now();
  for (let id = 0; id < count; id++) client.send(request(id, method));
  let refused = 0;
  for (let n = 0; n < count; n++) if (isRefused(await client.nextJson())) refused++;
  return { answered: count - refused, refused, slowestMs: performance.now() - startedMs };
}

/** Asks again and again, a millisecond after each answer, until `isOver`. */
export async function keepAsking(client: Client, isOver: () => boolean): Promise<DecisionTimes> {
  let [answered, refused, slowestMs] = [0, 0, 0];
  while (!isOver()) {
    const one = await timeDecisions(client, 1);
    answered += one.answered;
    refused += one.refused;
    slowestMs = Math.max(slowestMs, one.slowestMs);
    await sleep(1);
  }
  return { answered, refused, slowestMs };
}

/** The middle one; of an even number, the lower of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 1]!;
}
