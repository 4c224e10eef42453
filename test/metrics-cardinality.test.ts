import { beforeAll, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { askUpgrade, type UpgradeRequest } from './support/raw-client.ts';
import { request } from './support/volley.ts';

const HOSTILE = 1_000;
const AT_ONCE = 50;

let gateway: Gateway;

beforeAll(async () => {
  const { url } = await startJsonRpcBackend();
  const plenty = { strategy: 'token-bucket', requestsPerSecond: 1_000_000 } as const;
  gateway = await startGateway({
    config: {
      identity: { header: 'x-api-key', query: 'key' },
      rateLimits: [
        ...['connection', 'ip', 'identity', 'route'].map((scope) => ({ ...plenty, scope })),
        { ...plenty, scope: 'method', match: '*', per: 'identity' },
        // Hardly refilled, so that who was here is remembered.
        ...['ip', 'identity'].map((scope) => ({
          ...{ ...plenty, scope, unit: 'connections' },
          ...{ requestsPerSecond: 0.001, burst: 100_000 },
        })),
      ],
      routes: [
        { path: '/request', pool: 'request' },
        { path: '/session', pool: 'session' },
      ],
      pools: { request: { mode: 'request', upstreams: [url] }, session: { upstreams: [url] } },
    },
  });
});

/** A name that nobody used before, and that would break a page which takes it as it is. */
function hostile(n: number): string {
  const shapes = ['__proto__', 'constructor', '"} 1', 'a{b="c"}', '\\', 'méthode 😀', 'rpc.', 'x'.repeat(60)];
  return `${shapes[n % shapes.length]}canary${n}`;
}

/** Every series there is, but for what Node says of its own objects, whose kinds come and go. */
async function seriesNow(): Promise<string[]> {
  return (await gateway.metrics()).series().filter((name) => !/^nodejs_(gc_|active_)/.test(name));
}

/** What a handshake can carry of a client's own choice, much of it at once; the first two are let in. */
const handshakes: Readonly<Record<string, (name: string, n: number) => UpgradeRequest>> = {
  'query keys, identities in them, addresses from a trusted proxy, origins and subprotocols': (name, n) => ({
    path: `/request?${name}=${name}&key=${name}`,
    headers: {
      'X-Forwarded-For': `10.${n >> 8}.${n & 255}.1`,
      Origin: `https://canary${n}.example`,
      'Sec-WebSocket-Protocol': `canary${n}`,
    },
  }),
  'identities in a header, forged addresses and agents': (name) => ({
    path: '/request',
    headers: { 'X-Api-Key': `other${name}`, 'X-Forwarded-For': name, 'User-Agent': name },
  }),
  paths: (name) => ({ path: `/${name}` }),
  codecs: (name) => ({ path: `/request?codec=${name}` }),
  versions: (name) => ({ path: '/request', headers: { 'Sec-WebSocket-Version': name } }),
  verbs: (_, n) => ({ path: '/request', method: `CANARY${n}` }),
};

it.each(Object.entries(handshakes))('1,000 hostile %s add no series', async (_, upgrade) => {
  const before = await seriesNow();
  for (let first = 0; first < HOSTILE; first += AT_ONCE) {
    const asking = Array.from({ length: AT_ONCE }, (_, i) =>
      askUpgrade(gateway.port, upgrade(encodeURIComponent(hostile(first + i)), first + i)),
    );
    await Promise.allSettled(asking);
  }
  expect(await seriesNow()).toEqual(before);
  expect((await gateway.metrics()).text).not.toContain('canary');
});

it('the gateway did take notice of them', async () => {
  const page = await gateway.metrics();
  expect(page.sum('wsluice_ratelimit_keys', { scope: 'identity' })).toBeGreaterThanOrEqual(2 * HOSTILE);
  expect(page.sum('wsluice_ratelimit_keys', { scope: 'ip' })).toBeGreaterThanOrEqual(HOSTILE);
  for (const reason of ['path', 'codec', 'version'])
    expect(page.sum('websocket_rejected_total', { reason })).toBe(HOSTILE);
});

it.each(['/request', '/session'])(
  '1,000 hostile methods, ids and params on %s add no series',
  async (path) => {
    const before = await seriesNow();
    const client = await connectClient(gateway.at(path));
    for (let n = 0; n < HOSTILE; n++) client.send(request(hostile(n), hostile(n), { [hostile(n)]: n }));
    for (let n = 0; n < HOSTILE; n++) await client.next();
    expect(await seriesNow()).toEqual(before);
    expect((await gateway.metrics()).text).not.toContain('canary');
  },
);

it('1,000 hostile paths, queries and methods of the admin listener add no series', async () => {
  const before = await seriesNow();
  for (let first = 0; first < HOSTILE; first += AT_ONCE) {
    const asking = Array.from({ length: AT_ONCE }, (_, i) => {
      const name = encodeURIComponent(hostile(first + i));
      const path = [`/${name}`, `/api/pools/${name}`, `/api/clients?sort=${name}`, `/metrics?${name}=1`][
        i % 4
      ]!;
      return fetch(gateway.adminUrl + path, { method: ['GET', 'POST', 'PUT', 'DELETE'][i % 3]! });
    });
    await Promise.all(asking.map(async (asked) => (await asked).arrayBuffer()));
  }
  expect(await seriesNow()).toEqual(before);
});
