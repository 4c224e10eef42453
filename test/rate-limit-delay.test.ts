import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { bucket, startLimited } from './support/limited-gateway.ts';
import { putLimits } from './support/limits-api.ts';
import { startSessionBackend } from './support/session-backend.ts';
import {
  answeredOf,
  decisionsOf,
  expectWithin,
  fireVolley,
  isRefused,
  refusedSoFar,
  request,
  retryAfterMs,
} from './support/volley.ts';

describe('onExceed delay', () => {
  const limit = {
    scope: 'method',
    per: 'connection',
    strategy: 'leaky-bucket',
    onExceed: 'delay',
  } as const;
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited(
      [
        { ...limit, match: 'spaced', requestsPerSecond: 50, burst: 10 },
        { ...limit, match: 'slow', requestsPerSecond: 20, burst: 10 },
        { ...limit, match: 'roomy', requestsPerSecond: 50, burst: 1_000 },
        {
          ...limit,
          match: 'tokens',
          requestsPerSecond: 20,
          burst: 5,
          strategy: 'token-bucket',
          maxDelayMs: 240,
        },
      ],
      { listen: { maxBackpressureBytes: 20_000 } },
    );
  });

  it('spaces what comes at once, keeps its order and refuses what the bucket does not hold', async () => {
    const client = await connectClient(gateway.url);
    const startMs = performance.now();
    for (let id = 0; id < 30; id++) client.send(request(id, 'spaced'));
    const arrivals: { reply: Json; atMs: number }[] = [];
    while (arrivals.length < 30) {
      const reply = await client.nextJson();
      arrivals.push({ reply, atMs: performance.now() - startMs });
    }
    const passed = arrivals.filter(({ reply }) => !isRefused(reply));
    expectWithin({ passed: passed.length, tookMs: passed.at(-1)!.atMs }, { burst: 10, perSecond: 50 });
    expectAscending(passed.map(({ reply }) => reply));
    for (const [index, { atMs }] of passed.entries()) {
      expect(atMs, `answer ${index}`).toBeGreaterThanOrEqual(index * 20 - 1);
    }
    const delayed = await decisionsOf(gateway, 'method', 'delayed');
    expect(delayed).toBeGreaterThan(0);
    expect(delayed, 'not the first').toBeLessThan(passed.length);
  });

  it('of a method holds what comes behind it, so that nothing is overtaken', async () => {
    const client = await connectClient(gateway.url);
    for (let id = 0; id < 8; id++) client.send(request(id, id % 2 === 0 ? 'slow' : 'echo'));
    for (let id = 0; id < 8; id++) expect(await client.nextJson()).toMatchObject({ id, result: [id] });
  });

  it('of a token bucket lets its burst through and holds the rest up to maxDelayMs', async () => {
    const client = await connectClient(gateway.url);
    const { replies, answered, tookMs } = await fireVolley(client, 30, 'tokens');
    expectWithin({ passed: answered, tookMs }, { burst: 9, perSecond: 20 });
    expectAscending(replies.filter((reply) => !isRefused(reply)));
    for (const reply of replies.filter(isRefused)) expect(retryAfterMs(reply)).toBeGreaterThan(0);
  });

  it('holds no more than maxBackpressureBytes', async () => {
    const client = await connectClient(gateway.url);
    for (let id = 0; id < 40; id++) client.send(request(id, 'roomy', [id, 'x'.repeat(2_000)]));
    const replies: Json[] = [];
    while (replies.length < 40) replies.push(await client.nextJson());
    const passed = replies.filter((reply) => !isRefused(reply));
    expectAscending(passed);
    expect(passed.length, 'of 2,3 KB each').toBeGreaterThanOrEqual(8);
    expect(passed.length).toBeLessThan(20);
  });

  it('loses nothing of a session, whatever its sizes', async () => {
    const pools = { main: { mode: 'session', upstreams: [(await startSessionBackend()).url] } };
    const wide = { ...limit, scope: 'connection', per: 'global', requestsPerSecond: 200, burst: 60 } as const;
    const sessions = await startLimited([wide], { pools });
    const client = await connectClient(sessions.url);
    const messages = Array.from({ length: 60 }, (_, n) => `${n} ${'x'.repeat((n * 701) % 5_000)}`);
    const startMs = performance.now();
    for (const message of messages) client.send(message);
    for (const [n, message] of messages.entries()) {
      expect(await client.nextText()).toBe(message);
      expect(performance.now() - startMs, `message ${n}`).toBeGreaterThanOrEqual(n * 5 - 1);
    }
    expect(await refusedSoFar(sessions)).toBe(0);
  });

  it('holds a batch behind what waits, and sends it as a whole', async () => {
    const client = await connectClient(gateway.url);
    for (let id = 0; id < 3; id++) client.send(request(id, 'slow'));
    client.send([request(3, 'slow'), request(4, 'slow'), request(5)]);
    client.send(request(6));
    for (let id = 0; id < 3; id++) expect((await client.nextJson()).id).toBe(id);
    expect(((await client.nextJson()) as Json[]).map(({ id, result }) => [id, result])).toEqual([
      [3, [3]],
      [4, [4]],
      [5, [5]],
    ]);
    expect((await client.nextJson()).id).toBe(6);
  });

  it('forgets what waits of a client that has gone', async () => {
    const backend = await startJsonRpcBackend();
    const calm = await startLimited(
      [{ strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 50, onExceed: 'delay' }],
      { pools: { main: { mode: 'request', upstreams: [backend.url] } } },
    );
    const client = await connectClient(calm.url);
    for (let id = 0; id < 30; id++) client.send(request(id));
    await client.next();
    client.socket.terminate();
    await eventually(async () => expect((await calm.metrics()).sum('websocket_connections_total')).toBe(0));
    const { length } = backend.received;
    expect(length).toBeLessThan(30);
    const other = await connectClient(calm.url);
    expect(await answeredOf(other, 3), 'two intervals later').toBe(3);
    expect(backend.received).toHaveLength(length + 3);
  });

  it('sends what waits before a drain ends the connection', async () => {
    const draining = await startLimited([
      { strategy: 'leaky-bucket', requestsPerSecond: 20, burst: 50, onExceed: 'delay' },
    ]);
    const client = await connectClient(draining.url);
    for (let id = 0; id < 10; id++) client.send(request(id));
    await client.next();
    draining.signal('SIGTERM');
    for (let id = 1; id < 10; id++) expect((await client.nextJson()).id).toBe(id);
    expect((await client.closed).code).toBe(1001);
    expect(await draining.exited).toBe(0);
  });

  it('sends what waits when the limits are changed meanwhile', async () => {
    const before = bucket({ strategy: 'leaky-bucket', requestsPerSecond: 20, burst: 50, onExceed: 'delay' });
    const changing = await startLimited([before]);
    const client = await connectClient(changing.url);
    for (const limits of [[{ ...before, requestsPerSecond: 40 }], [bucket({ burst: 3 })], []]) {
      await putLimits(changing, [before]);
      for (let id = 0; id < 5; id++) client.send(request(id));
      await client.next();
      await putLimits(changing, limits);
      client.send(request('behind'));
      for (let id = 1; id < 5; id++) expect((await client.nextJson()).id).toBe(id);
      expect(await client.nextJson()).toMatchObject({ id: 'behind', result: ['behind'] });
    }
  });
});

function expectAscending(replies: readonly Json[]): void {
  const ids = replies.map(({ id }) => Number(id));
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
}
