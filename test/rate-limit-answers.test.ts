import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { Chatterer } from './support/chatterer.ts';
import { connectClient } from './support/client.ts';
import type { Json } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { eventually } from './support/eventually.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';
import { startLimited } from './support/limited-gateway.ts';
import { clientFrame, RawClient } from './support/raw-client.ts';
import { seededRandom } from './support/random.ts';
import { startSessionBackend } from './support/session-backend.ts';
import {
  answeredOf,
  decisionsOf,
  expectWithin,
  fireVolley,
  isRefused,
  receivedAll,
  refusedSoFar,
  request,
  retryAfterMs,
} from './support/volley.ts';

const SEED = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000);

describe('a refused request', () => {
  let gateway: Gateway;
  let patient: Gateway;
  let backend: JsonRpcBackend;

  beforeAll(async () => {
    backend = await startJsonRpcBackend();
    gateway = await startLimited([{ burst: 5 }], {
      pools: { main: { mode: 'request', upstreams: [backend.url] } },
    });
    const tenPerSecond = { scope: 'method', per: 'connection', requestsPerSecond: 10, burst: 2 } as const;
    patient = await startLimited([
      { ...tenPerSecond, match: 'token' },
      { ...tenPerSecond, match: 'leaky', strategy: 'leaky-bucket' },
      { ...tenPerSecond, match: 'window', strategy: 'sliding-window', windowMs: 200, burst: null },
    ]);
  });

  it.each(['1', '"1"', '0', '-7', '""', '"a\\"b"', '"\\u00e9"'])(
    'keeps its id with its type: %s',
    async (id) => {
      const client = await connectClient(gateway.url);
      await fireVolley(client, 5);
      const reply = await client.call(`{"jsonrpc":"2.0","id":${id},"method":"echo"}`);
      expect(retryAfterMs(reply)).toBeGreaterThan(0);
      expect(reply).toMatchObject({ jsonrpc: '2.0', id: JSON.parse(id) as unknown });
    },
  );

  it('never reaches the back end, nor is it counted as accepted', async () => {
    const { accepted } = await expectBalanced(gateway);
    const before = backend.received.length;
    const client = await connectClient(gateway.url);
    expect(await fireVolley(client, 50)).toMatchObject({ answered: 5, refused: 45 });
    expect(backend.received).toHaveLength(before + 5);
    expect((await expectBalanced(gateway)).accepted).toBe(accepted + 5);
  });

  it('in a batch leaves the others as they are: 5 of 10 in one array, in order', async () => {
    const before = backend.received.length;
    const client = await connectClient(gateway.url);
    const ids = [0, '0', 1, '1', 2, '2', 3, '3', 4, '4'];
    const replies = (await client.call(ids.map((id) => request(id)))) as Json[];
    expect(replies.map(({ id }) => id)).toEqual(ids);
    expect(replies.map(isRefused)).toEqual(ids.map((_, index) => index >= 5));
    expect(replies.slice(0, 5).map(({ result }) => result)).toEqual(ids.slice(0, 5).map((id) => [id]));
    expect(backend.received).toHaveLength(before + 5);
  });

  it('that is no request is refused too, without an id', async () => {
    const client = await connectClient(gateway.url);
    for (let n = 0; n < 5; n++) expect((await client.call('not JSON')).error?.code).toBe(-32700);
    const reply = await client.call('not JSON');
    expect(reply.id).toBeNull();
    expect(isRefused(reply)).toBe(true);
  });

  // It is not counted yet.
  it('that is a notification is dropped in silence, and counted', async () => {
    const client = await connectClient(gateway.url);
    await fireVolley(client, 5);
    const before = { received: backend.received.length, refused: await refusedSoFar(gateway) };
    client.send({ jsonrpc: '2.0', method: 'note' });
    expect(isRefused(await client.call(request('next'))), 'the very next answer').toBe(true);
    expect(backend.received).toHaveLength(before.received);
    expect(await refusedSoFar(gateway)).toBe(before.refused + 2);
  });

  it.each(['token', 'leaky', 'window'])('passes after retryAfterMs: %s', async (method) => {
    const client = await connectClient(patient.url);
    for (let round = 0; round < 4; round++) {
      const last = (await fireVolley(client, 4, method)).replies.at(-1)!;
      if (!isRefused(last)) continue;
      await sleep(retryAfterMs(last));
      expect(isRefused(await client.call(request('again', method))), `round ${round}`).toBe(false);
    }
    expect(await refusedSoFar(patient), 'refused at least once').toBeGreaterThan(0);
  });
});

describe('a session', () => {
  it.each(['embedded', 'real'])(
    'loses what is above its limit and stays open, with the %s back end',
    async (kind) => {
      const upstreams = kind === 'real' ? [(await startSessionBackend()).url] : ['echo:'];
      const pools = { main: { mode: 'session', upstreams } };
      const gateway = await startLimited([{ burst: 20, requestsPerSecond: 5 }], { pools });
      const client = await connectClient(gateway.url);
      const startMs = performance.now();
      for (let n = 0; n < 50; n++) client.send(`message ${n}`);
      await receivedAll(gateway, 50);
      const passed = 50 - (await refusedSoFar(gateway));
      expectWithin({ passed, tookMs: performance.now() - startMs }, { burst: 20, perSecond: 5 });
      for (let n = 0; n < 20; n++) expect(await client.nextText()).toBe(`message ${n}`);
      await eventually(() => {
        client.send('still here');
        expect(client.waiting()).toBeGreaterThan(passed - 20);
      });
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    },
  );
});

describe('onExceed', () => {
  it('drop gives no answer, and counts', async () => {
    const gateway = await startLimited([{ scope: 'method', match: 'quiet', burst: 2, onExceed: 'drop' }]);
    const client = await connectClient(gateway.url);
    for (let id = 0; id < 5; id++) client.send(request(id, 'quiet'));
    client.send([request(5, 'quiet'), request(6), request(7, 'quiet')]);
    const replies = [await client.nextJson(), await client.nextJson()];
    expect(replies.map(({ id }) => id)).toEqual([0, 1]);
    expect(await client.nextJson()).toMatchObject([{ id: 6, result: [6] }]);
    client.send([request(8, 'quiet')]);
    expect((await client.call(request('last'))).id).toBe('last');
    expect(await refusedSoFar(gateway)).toBe(6);
    expect(await decisionsOf(gateway, 'method', 'dropped')).toBe(6);
  });

  it.each(['session', 'request'])('close ends the connection with 1008 in %s mode', async (mode) => {
    const pools = { main: { mode } };
    const gateway = await startLimited([{ burst: 3, onExceed: 'close' }], { pools });
    const [client, other] = [await connectClient(gateway.url), await connectClient(gateway.url)];
    for (let id = 0; id < 10; id++) client.send(request(id));
    expect(await client.closed).toEqual({
      code: 1008,
      reason: expect.stringMatching(/rate limit/) as string,
    });
    const ids = [await client.nextJson(), await client.nextJson(), await client.nextJson()].map(
      ({ id }) => id,
    );
    expect(ids).toEqual([0, 1, 2]);
    expect(client.waiting()).toBe(0);
    expect(await other.call(request('other'))).toMatchObject({ id: 'other' });
    expect(await refusedSoFar(gateway)).toBe(1);
    expect(await decisionsOf(gateway, 'connection', 'closed')).toBe(1);
  });

  it('close ends it for an element of a batch, none of which is sent', async () => {
    const backend = await startJsonRpcBackend();
    const pools = { main: { mode: 'request', upstreams: [backend.url] } };
    const gateway = await startLimited([{ burst: 3, onExceed: 'close' }], { pools });
    const client = await connectClient(gateway.url);
    client.send(Array.from({ length: 5 }, (_, id) => request(id)));
    expect((await client.closed).code).toBe(1008);
    expect(client.waiting()).toBe(0);
    expect(backend.received).toEqual([]);
  });
});

describe('blockMs', () => {
  it('refuses everything once the limit was passed, until it is over', async () => {
    const gateway = await startLimited([{ requestsPerSecond: 1_000, burst: 5, blockMs: 600 }]);
    const client = await connectClient(gateway.url);
    let refused: Json | undefined;
    await eventually(async () => {
      refused = (await fireVolley(client, 100)).replies.find(isRefused);
      expect(refused).toBeDefined();
    });
    const blockedAtMs = performance.now();
    expect(retryAfterMs(refused!)).toBeGreaterThanOrEqual(600);
    await sleep(100);
    const reply = await client.call(request('blocked'));
    if (performance.now() - blockedAtMs < 500) expect(isRefused(reply)).toBe(true);
    if (isRefused(reply)) {
      expect(retryAfterMs(reply)).toBeLessThanOrEqual(600);
      await sleep(retryAfterMs(reply));
    }
    expect(isRefused(await client.call(request('forgiven')))).toBe(false);
    expect(await answeredOf(await connectClient(gateway.url), 5), 'another connection').toBe(5);
  });
});

describe('a codec', () => {
  it.each(['embedded', 'real'])('changes nothing about a limit, with the %s back end', async (kind) => {
    const backend = await startJsonRpcBackend();
    const upstreams = kind === 'real' ? [backend.url] : ['echo:'];
    const gateway = await startLimited([{ burst: 20 }], { pools: { main: { mode: 'request', upstreams } } });
    const client = await connectCodecClient(gateway.at('/ws?codec=zstd'), { codec: 'zstd' });
    const padding = 'p'.repeat(1_500);
    for (let id = 0; id < 50; id++) client.sendPacked(JSON.stringify(request(id, 'echo', [padding])));
    const replies: Json[] = [];
    while (replies.length < 50) {
      replies.push(JSON.parse((await client.nextUnpacked()).data.toString()) as Json);
    }
    const passed = replies.filter((reply) => !isRefused(reply));
    expect(passed.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, id) => id));
    expect(passed.every(({ result }) => (result as string[])[0] === padding)).toBe(true);
    expect(backend.received).toHaveLength(kind === 'real' ? 20 : 0);
  });
});

it('a codec is no way around a limit for what is said right before goodbye', async () => {
  const backend = await startJsonRpcBackend();
  const gateway = await startLimited([{ scope: 'global', burst: 20 }], {
    pools: { main: { mode: 'session', upstreams: [backend.url] } },
  });
  const client = await connectCodecClient(gateway.at('/ws?codec=gzip'), { codec: 'gzip' });
  // A few bytes that unpack to many have to wait for their turn, and those behind them wait too.
  const padding = 'ab'.repeat(500_000);
  // All of it arrives at once, the goodbye too.
  const tcp = Reflect.get(client.socket, '_socket') as Socket;
  tcp.cork();
  for (let id = 0; id < 300; id++) {
    client.sendPacked(JSON.stringify(request(id, 'echo', id >= 20 && id < 80 ? [padding] : [])));
  }
  const closed = client.close(1000, 'bye');
  tcp.uncork();
  await closed;
  await receivedAll(gateway, 300);
  await eventually(async () => {
    const decided = await Promise.all(
      ['allowed', 'rejected'].map((decision) => decisionsOf(gateway, 'global', decision)),
    );
    expect(decided).toEqual([20, 280]);
  });
  expect(backend.received.length).toBeLessThanOrEqual(20);
});

it('a client that is refused again and again is answered every time, and nobody else notices', async () => {
  const gateway = await startLimited([{ burst: 20 }]);
  const [greedy, other] = [await connectClient(gateway.url), await connectClient(gateway.url)];
  const flood = fireVolley(greedy, 5_000);
  for (let n = 0; n < 20; n++) expect(isRefused(await other.call(request(n)))).toBe(false);
  expect((await flood).answered).toBe(20);
});

it('a client that floods the gateway with what is refused is ended with 1008', async () => {
  const gateway = await startLimited([{ burst: 5, onExceed: 'drop' }]);
  const { client: flooder } = await RawClient.upgrade(gateway.port);
  const message = clientFrame('{"jsonrpc":"2.0","method":"m"}');
  const flood = Buffer.concat(Array.from({ length: 16_384 }, () => message));
  const pump = (): void => {
    while (flooder.socket.writable && flooder.socket.write(flood));
  };
  flooder.socket.on('drain', pump);
  pump();
  expect(await flooder.closed).toBe(1008);
  const bystander = await connectClient(gateway.url);
  expect(await answeredOf(bystander, 3)).toBe(3);
});

describe('50 clients that send whatever comes to mind', () => {
  it(`have every request answered, refused or dropped, and none twice (seed ${SEED})`, async () => {
    const backend = await startJsonRpcBackend({ shuffleEveryMs: 3, seed: SEED });
    const gateway = await startLimited(
      [
        { requestsPerSecond: 100, burst: 15 },
        { scope: 'global', strategy: 'sliding-window', requestsPerSecond: 1_500, windowMs: 500 },
        { scope: 'method', match: 'e*', strategy: 'leaky-bucket', requestsPerSecond: 400, burst: 200 },
        { scope: 'method', match: 'whoami', burst: 4, per: 'connection', onExceed: 'drop' },
      ],
      { pools: { main: { mode: 'request', upstreams: [backend.url], maxConnections: 4 } } },
    );
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, n) => Chatterer.connect(gateway.url, seededRandom(SEED + n))),
    );
    await Promise.all(clients.map((client) => client.talk(30)));
    const total = (count: (client: Chatterer) => number): number =>
      clients.map(count).reduce((sum, each) => sum + each);
    await receivedAll(
      gateway,
      total((client) => client.messages),
    );
    const { replied } = await expectBalanced(gateway);
    const notes = backend.received.filter((text) => text.includes('"note"')).length;
    expect(backend.received, 'nothing that was refused').toHaveLength(replied + notes);
    await eventually(() => expect(total(({ answers }) => answers)).toBe(replied));
    expect(clients.flatMap(({ faults }) => faults)).toEqual([]);
    const refused = total(({ refusals }) => refusals);
    const dropped = total(({ requests }) => requests) - replied - refused;
    expect(refused, 'refused').toBeGreaterThan(0);
    expect(dropped, 'dropped').toBeGreaterThan(0);
    expect(await decisionsOf(gateway, 'method', 'dropped')).toBe(dropped);
    const unanswered = total(({ notes }) => notes) - notes;
    expect(await refusedSoFar(gateway)).toBe(refused + dropped + unanswered);
  });
});
