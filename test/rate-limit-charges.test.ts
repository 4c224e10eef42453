import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Json } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { eventually } from './support/eventually.ts';
import type { Gateway } from './support/gateway.ts';
import { connectFrom, limitAfresh, startLimited } from './support/limited-gateway.ts';
import { getLimits } from './support/limits-api.ts';
import { OPCODE, RawClient, clientFrame } from './support/raw-client.ts';
import {
  answeredOf,
  expectWithin,
  fireVolley,
  isRefused,
  receivedAll,
  refusedSoFar,
  request,
  retryAfterMs,
} from './support/volley.ts';

describe('several limits', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited([]);
  });

  it('charge nothing to the others for what one refuses', async () => {
    await limitAfresh(gateway, [
      { scope: 'global', burst: 100 },
      { scope: 'ip', burst: 60 },
      { scope: 'connection', burst: 10 },
      { scope: 'method', match: 'few', burst: 3, per: 'connection' },
    ]);
    for (let n = 0; n < 6; n++) {
      const client = await connectClient(gateway.url);
      expect(await answeredOf(client, 50, 'few'), `client ${n}`).toBe(3);
      expect(await answeredOf(client, 50), `client ${n}`).toBe(7);
    }
    const last = await connectFrom(gateway, '127.0.0.2');
    expect(await answeredOf(last, 50)).toBe(10);
    const more = await Promise.all(Array.from({ length: 4 }, () => connectFrom(gateway, '127.0.0.2')));
    const answered = await Promise.all(more.map((client) => answeredOf(client, 10)));
    expect(
      answered.reduce((sum, each) => sum + each),
      'of 100 for all, 70 were used',
    ).toBe(30);
  });

  it('charge nothing for the elements of a batch that one refuses', async () => {
    await limitAfresh(gateway, [
      { burst: 10 },
      { scope: 'method', match: 'few', burst: 2, per: 'connection' },
    ]);
    const client = await connectClient(gateway.url);
    const batch = Array.from({ length: 6 }, (_, id) => request(id, 'few'));
    const replies = (await client.call(batch)) as Json[];
    expect(replies.map(isRefused)).toEqual([false, false, true, true, true, true]);
    expect(await answeredOf(client, 12)).toBe(8);
  });

  it('are exact where requests of many clients come in one turn, and some leave in the middle of it', async () => {
    await limitAfresh(gateway, [{ burst: 100 }, { scope: 'global', burst: 350 }]);
    const clients = await Promise.all(Array.from({ length: 5 }, () => connectClient(gateway.url)));
    const leaving = await RawClient.upgrade(gateway.port);
    const frame = clientFrame(JSON.stringify(request('last')));
    leaving.client.send(
      Buffer.concat([...Array<Buffer>(20).fill(frame), clientFrame('', { opcode: OPCODE.close })]),
    );
    const volleys = await Promise.all(clients.map((client) => fireVolley(client, 200)));
    const answered = volleys.map((volley) => volley.answered);
    expect(Math.max(...answered)).toBeLessThanOrEqual(100);
    expect(answered.reduce((sum, each) => sum + each)).toBe(330);
    expect(await answeredOf(await connectClient(gateway.url), 5)).toBe(0);
  });

  it('may be two of one kind: a fast and a slow one', async () => {
    await limitAfresh(gateway, [
      { requestsPerSecond: 100, burst: 8 },
      { requestsPerSecond: 0.001, burst: 20 },
    ]);
    const client = await connectClient(gateway.url);
    const first = await fireVolley(client, 30);
    expectWithin({ passed: first.answered, tookMs: first.tookMs }, { burst: 8, perSecond: 100 });
    let answered = first.answered;
    await eventually(async () => {
      answered += await answeredOf(client, 2);
      expect(answered).toBeGreaterThanOrEqual(20);
    });
    expect(answered + (await answeredOf(client, 2)), 'and never more').toBe(20);
  });

  it('give the longest wait', async () => {
    await limitAfresh(gateway, [
      { requestsPerSecond: 0.5, burst: 1 },
      { scope: 'method', match: 'rare', requestsPerSecond: 0.05, burst: 1, per: 'connection' },
    ]);
    const client = await connectClient(gateway.url);
    const startMs = performance.now();
    const { replies } = await fireVolley(client, 2, 'rare');
    const agoMs = performance.now() - startMs;
    expect(retryAfterMs(replies[1]!), 'rounded up').toBeLessThanOrEqual(20_001);
    expect(retryAfterMs(replies[1]!)).toBeGreaterThanOrEqual(20_000 - agoMs);
    expect(retryAfterMs(await client.call(request('common')))).toBeLessThanOrEqual(2_001);
  });

  it('give the hardest answer: close before drop before reject', async () => {
    const perMethod = { scope: 'method', burst: 1, per: 'connection' } as const;
    await limitAfresh(gateway, [
      { burst: 2 },
      { ...perMethod, match: 'dropped', onExceed: 'drop' },
      { ...perMethod, match: 'closed', onExceed: 'close' },
      { ...perMethod, match: '*', burst: 4 },
    ]);
    const client = await connectClient(gateway.url);
    expect(await answeredOf(client, 1, 'dropped')).toBe(1);
    expect(await answeredOf(client, 1, 'closed')).toBe(1);
    expect(isRefused(await client.call(request('rejected')))).toBe(true);
    client.send(request('dropped', 'dropped'));
    expect((await client.call(request('rejected'))).id).toBe('rejected');
    client.send(request('closed', 'closed'));
    expect((await client.closed).code).toBe(1008);
  });
});

describe('unit bytes', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited([{ unit: 'bytes', burst: 1_000 }], {
      routes: [
        { path: '/ws', pool: 'sessions' },
        { path: '/rpc', pool: 'requests' },
      ],
      pools: { sessions: { mode: 'session' }, requests: { mode: 'request' } },
    });
  });

  it('counts the bytes of messages; one that is larger than the burst passes once and is paid off', async () => {
    const client = await connectClient(gateway.url);
    for (const size of [300, 300, 300, 101, 100, 1]) client.send('x'.repeat(size));
    await receivedAll(gateway, 6);
    expect(await refusedSoFar(gateway)).toBe(2);
    for (const size of [300, 300, 300, 100]) expect(await client.nextText()).toHaveLength(size);
    const other = await connectClient(gateway.url);
    other.send('x'.repeat(5_000));
    expect(await other.nextText()).toHaveLength(5_000);
    other.send('x');
    await receivedAll(gateway, 8);
    expect(await refusedSoFar(gateway)).toBe(3);
    expect(other.waiting() + client.waiting()).toBe(0);
  });

  it('counts what a codec unpacked, so that packing buys nothing', async () => {
    const before = await refusedSoFar(gateway);
    const client = await connectCodecClient(gateway.at('/ws?codec=zstd'), { codec: 'zstd' });
    for (let n = 0; n < 5; n++) client.sendPacked('x'.repeat(300));
    await eventually(async () => expect(await refusedSoFar(gateway)).toBe(before + 2));
    for (let n = 0; n < 3; n++) expect((await client.nextUnpacked()).data).toHaveLength(300);
  });

  it('counts each request by its own bytes', async () => {
    const client = await connectClient(gateway.at('/rpc'));
    const text = (id: number): string => JSON.stringify(request(id, 'echo', ['x'.repeat(200)]));
    const size = text(0).length;
    const batch = (await client.call(`[${[0, 1, 2, 3, 4].map(text).join()}]`)) as Json[];
    expect(batch.map(isRefused)).toEqual([0, 1, 2, 3, 4].map((id) => (id + 1) * size > 1_000));
  });
});

describe('control frames', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited([], { heartbeat: { intervalMs: 1_000, timeoutMs: 900 } });
  });

  it.each([
    ['pings', OPCODE.ping],
    ['unasked pongs', OPCODE.pong],
  ])('that are %s use up the limit of their connection', async (_what, opcode) => {
    await limitAfresh(gateway, [{ burst: 10 }, { scope: 'global', burst: 1_000 }]);
    const { client } = await RawClient.upgrade(gateway.port);
    const frames = Array.from({ length: 9 }, () => clientFrame('', { opcode }));
    client.send(Buffer.concat([...frames, clientFrame(JSON.stringify(request('tenth')))]));
    expect(await nextText(client)).toMatchObject({ id: 'tenth', result: ['tenth'] });
    client.send(clientFrame(JSON.stringify(request('eleventh'))));
    expect(isRefused(await nextText(client))).toBe(true);
    const { limits } = await getLimits(gateway);
    expect(limits.map(({ decisions }) => decisions['allowed'])).toEqual([10, 1]);
  });

  it('above the limit close where the limit says so', async () => {
    await limitAfresh(gateway, [{ burst: 10, onExceed: 'close' }]);
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(Buffer.concat(Array.from({ length: 11 }, () => clientFrame('', { opcode: OPCODE.ping }))));
    expect(await client.closed).toBe(1008);
  });

  it('that answer the gateway’s own pings are free', async () => {
    await limitAfresh(gateway, [{ burst: 1 }]);
    const client = await connectClient(gateway.url);
    let pings = 0;
    client.socket.on('ping', () => pings++);
    await eventually(() => expect(pings).toBeGreaterThan(0));
    expect(await answeredOf(client, 3)).toBe(1);
  });
});

/** The next text frame, as JSON; pongs in between are passed over. */
async function nextText(client: RawClient): Promise<Json> {
  for (;;) {
    const { opcode, payload } = await client.nextFrame();
    if (opcode === OPCODE.text) return JSON.parse(payload.toString()) as Json;
  }
}
