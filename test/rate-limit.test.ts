import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client, Json } from './support/client.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { connectFrom, startLimited } from './support/limited-gateway.ts';
import { answeredOf, expectWithin, fireVolley, isRefused, request, retryAfterMs } from './support/volley.ts';

const byFlag = (rateLimit: string, ...more: string[]): Promise<Gateway> =>
  startGateway({ args: ['--mode', 'request', '--rate-limit', rateLimit, ...more] });

describe('--rate-limit', () => {
  it.each([
    ['token-bucket:5/s,burst=20', 5],
    ['leaky-bucket:5/s,burst=20', 5],
    ['sliding-window:20/s', 20],
  ])('%s answers 20 of 50 requests that come at once', async (rateLimit, perSecond) => {
    const gateway = await byFlag(rateLimit);
    const client = await connectClient(gateway.url);
    const { replies, answered, tookMs } = await fireVolley(client, 50);
    expectWithin({ passed: answered, tookMs }, { burst: 20, perSecond });
    expect(replies.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, id) => id));
    expect(replies.slice(0, 20).some(isRefused), 'the first 20').toBe(false);
    const other = await fireVolley(await connectClient(gateway.url), 30);
    expectWithin({ passed: other.answered, tookMs: other.tookMs }, { burst: 20, perSecond });
  });

  it('per=ip is shared by the connections of one address', async () => {
    const gateway = await byFlag('token-bucket:0.001/s,burst=20,per=ip');
    const clients = [
      await connectFrom(gateway, '127.0.0.1'),
      await connectFrom(gateway, '127.0.0.1'),
    ] as const;
    const other = await connectFrom(gateway, '127.0.0.2');
    expect(await answeredOf(clients[0], 12)).toBe(12);
    expect(await answeredOf(clients[1], 12)).toBe(8);
    expect(await answeredOf(clients[0], 5)).toBe(0);
    expect(await answeredOf(other, 25)).toBe(20);
  });

  it('per=global is shared by all', async () => {
    const gateway = await byFlag('leaky-bucket:0.001/s,burst=20,per=global');
    const clients = [
      await connectFrom(gateway, '127.0.0.1'),
      await connectFrom(gateway, '127.0.0.2'),
    ] as const;
    expect(await answeredOf(clients[0], 12)).toBe(12);
    expect(await answeredOf(clients[1], 12)).toBe(8);
    expect(await answeredOf(await connectFrom(gateway, '127.0.0.3'), 3)).toBe(0);
  });

  it('per=global lets no more pass when all send at once', async () => {
    const gateway = await byFlag('token-bucket:0.001/s,burst=100,per=global');
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(gateway.url)));
    const answered = await Promise.all(clients.map((client) => answeredOf(client, 60)));
    expect(answered.reduce((sum, each) => sum + each)).toBe(100);
  });

  it('may be repeated: each limit counts', async () => {
    const gateway = await byFlag(
      'token-bucket:0.001/s,burst=10',
      ...['--rate-limit', 'token-bucket:0.001/s,burst=15,per=global'],
    );
    const clients = [await connectClient(gateway.url), await connectClient(gateway.url)] as const;
    expect(await answeredOf(clients[0], 20)).toBe(10);
    expect(await answeredOf(clients[1], 20)).toBe(5);
  });
});

describe('an identity', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited([{ scope: 'identity', burst: 10 }], {
      identity: { header: 'X-Api-Key', query: 'key' },
    });
  });

  const withHeader = (key: string, localAddress: string): Promise<Client> =>
    connectClient(gateway.url, { headers: { 'X-Api-Key': key }, localAddress });

  it('from a header has one allowance wherever it connects from', async () => {
    const clients = [await withHeader('ann', '127.0.0.1'), await withHeader('ann', '127.0.0.2')] as const;
    const other = await withHeader('bob', '127.0.0.1');
    expect(await answeredOf(clients[0], 6)).toBe(6);
    expect(await answeredOf(clients[1], 6)).toBe(4);
    expect(await answeredOf(other, 12)).toBe(10);
  });

  it('from the query is the same as from the header, which goes first', async () => {
    const byQuery = await connectClient(gateway.at('/ws?room=1&key=c%61rl'));
    const headers = { 'X-Api-Key': 'carl' };
    const byBoth = await connectClient(gateway.at('/ws?key=dora'), { headers });
    const dora = await connectClient(gateway.at('/ws?key=dora'));
    expect(await answeredOf(byQuery, 6)).toBe(6);
    expect(await answeredOf(byBoth, 6)).toBe(4);
    expect(await answeredOf(dora, 12)).toBe(10);
  });

  it('that is not said is the address, and nobody can say that of another', async () => {
    const nobody = await connectFrom(gateway, '127.0.0.3');
    const again = await connectFrom(gateway, '127.0.0.3');
    const liar = await withHeader('127.0.0.3', '127.0.0.4');
    expect(await answeredOf(liar, 12)).toBe(10);
    expect(await answeredOf(nobody, 6)).toBe(6);
    expect(await answeredOf(again, 6)).toBe(4);
  });
});

describe('a route', () => {
  const routes = ['/ws', '/api', '/free'].map((path) => ({ path, pool: 'main' }));

  it('that is named has a limit of its own, shared by its clients', async () => {
    const gateway = await startLimited([{ scope: 'route', match: '/api', burst: 10 }], { routes });
    const clients = [
      await connectClient(gateway.at('/api')),
      await connectClient(gateway.at('/api')),
    ] as const;
    expect(await answeredOf(clients[0], 6)).toBe(6);
    expect(await answeredOf(clients[1], 6)).toBe(4);
    expect(await answeredOf(await connectClient(gateway.at('/free')), 30)).toBe(30);
  });

  it('among all that are limited counts by itself, for each client where the limit says so', async () => {
    const limits = [
      { scope: 'route', burst: 10 },
      { scope: 'route', per: 'connection', burst: 7 },
    ] as const;
    const gateway = await startLimited(limits, { routes });
    for (const path of ['/ws', '/api']) {
      const clients = [await connectClient(gateway.at(path)), await connectClient(gateway.at(path))] as const;
      expect(await answeredOf(clients[0], 12), path).toBe(7);
      expect(await answeredOf(clients[1], 12), path).toBe(3);
    }
  });
});

describe('a method', () => {
  let gateway: Gateway;
  let client: Client;

  beforeAll(async () => {
    gateway = await startLimited([
      { scope: 'method', match: 'tools/call', burst: 3, per: 'connection' },
      { scope: 'method', match: 'resources/*', burst: 4, per: 'connection' },
      { scope: 'method', match: 'shared', burst: 5 },
    ]);
  });

  const calls = async (...methods: string[]): Promise<boolean[]> => {
    client = await connectClient(gateway.url);
    const passed: boolean[] = [];
    for (const [id, method] of methods.entries()) {
      const reply = await client.call(`{"jsonrpc":"2.0","method":"${method}","id":${id}}`);
      passed.push(!isRefused(reply));
    }
    return passed;
  };

  it('is limited by its exact name, and no other is', async () => {
    const methods = [
      ...Array<string>(4).fill('tools/call'),
      'tools/calls',
      'tools/cal',
      'Tools/call',
      'echo',
    ];
    expect(await calls(...methods)).toEqual([true, true, true, false, true, true, true, true]);
  });

  it('is limited by the start of its name, all of them together', async () => {
    const methods = ['resources/list', 'resources/read', 'resources/', 'resources/x/y', 'resources/new'];
    expect(await calls(...methods, 'resources', 'resource/list')).toEqual([
      ...[true, true, true, true, false],
      ...[true, true],
    ]);
  });

  it('is the same with escapes in its name', async () => {
    const methods = ['tools\\/call', '\\u0074ools/call', 'tools\\u002fcall', 'tools\\/call', 'tools/call'];
    expect(await calls(...methods, 'tools/\\u0043all')).toEqual([true, true, true, false, false, true]);
  });

  it('is shared by all clients unless the limit says otherwise', async () => {
    expect(await answeredOf(await connectClient(gateway.url), 3, 'shared')).toBe(3);
    expect(await answeredOf(await connectClient(gateway.url), 3, 'shared')).toBe(2);
  });

  it('counts in a batch: what is refused is answered in its place', async () => {
    client = await connectClient(gateway.url);
    const elements = Array.from({ length: 10 }, (_, id) => request(id, id % 2 === 0 ? 'tools/call' : 'echo'));
    const replies = (await client.call(elements)) as Json[];
    expect(replies.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(replies.filter(isRefused).map(({ id }) => id)).toEqual([6, 8]);
    expect(replies.filter(isRefused).map(retryAfterMs)).toHaveLength(2);
    expect(client.waiting()).toBe(0);
  });
});
