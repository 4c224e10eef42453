import { expect } from 'vitest';
import type { Client, Json } from './client.ts';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';

/** What became of JSON-RPC requests that were sent at once. */
export interface Volley {
  /** In the order of arrival. */
  readonly replies: readonly Json[];
  readonly answered: number;
  /** Errors -32029; any other error throws. */
  readonly refused: number;
  /** Milliseconds from the first request to the last reply. */
  readonly tookMs: number;
}

/** Sends `count` requests at once, with the ids from 0 on, and waits for as many replies. */
export async function fireVolley(client: Client, count: number, method = 'echo'): Promise<Volley> {
  const startMs = performance.now();
  for (let id = 0; id < count; id++) client.send(request(id, method));
  const replies: Json[] = [];
  while (replies.length < count) replies.push(await client.nextJson());
  const tookMs = performance.now() - startMs;
  const refused = replies.filter(isRefused).length;
  const answered = replies.filter(({ error }) => error === undefined).length;
  expect(answered + refused, JSON.stringify(replies.find(({ error }) => error !== undefined))).toBe(count);
  return { replies, answered, refused, tookMs };
}

/** How many requests of a volley were answered. */
export async function answeredOf(client: Client, count: number, method?: string): Promise<number> {
  return (await fireVolley(client, count, method)).answered;
}

/** A JSON-RPC request that any back end of these tests answers. */
export function request(id: number | string, method = 'echo', params: unknown = [id]): object {
  return { jsonrpc: '2.0', id, method, params };
}

/** Whether a rate limit refused it. */
export function isRefused({ error }: Json): boolean {
  return error?.code === -32029;
}

/** How long the refused client is to wait; fails when the reply is no refusal that says so. */
export function retryAfterMs(reply: Json): number {
  expect(reply).toMatchObject({
    error: { code: -32029, data: { retryAfterMs: expect.any(Number) as number } },
  });
  const { retryAfterMs: waitMs } = reply.error!.data as { retryAfterMs: number };
  expect(waitMs, JSON.stringify(reply)).toBeGreaterThan(0);
  return waitMs;
}

/** Holds the number of messages that passed to the limit: all of its burst, and no more beside it than came in again in the time that they took. */
export function expectWithin(
  { passed, tookMs }: { readonly passed: number; readonly tookMs: number },
  limit: { readonly burst: number; readonly perSecond: number },
): void {
  expect(passed).toBeGreaterThanOrEqual(limit.burst);
  expect(passed, `in ${tookMs} ms`).toBeLessThanOrEqual(limit.burst + (limit.perSecond * tookMs) / 1_000);
}

/** Messages that rate limits refused, as `/metrics` has it. */
export async function refusedSoFar(gateway: Gateway): Promise<number> {
  return (await gateway.metrics()).sum('websocket_errors_total', { type: 'rate-limited' });
}

/** Waits until the gateway has received as many messages as that, from all of its clients. */
export async function receivedAll(gateway: Gateway, messages: number): Promise<void> {
  await eventually(async () =>
    expect((await gateway.metrics()).sum('websocket_messages_received_total')).toBe(messages),
  );
}

/** How often the limits of a scope made a decision. */
export async function decisionsOf(gateway: Gateway, scope: string, decision: string): Promise<number> {
  return (await gateway.metrics()).sum('wsluice_ratelimit_decisions_total', { scope, decision });
}
