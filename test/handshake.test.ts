import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { RawClient, askUpgrade, upgradeRequest } from './support/raw-client.ts';
import type { UpgradeRequest } from './support/raw-client.ts';
import { onTearDown } from './support/tear-down.ts';

const ALLOWED_ORIGINS = ['https://app.example.com', 'http://localhost:3000'];

describe('the opening handshake', () => {
  let gateway: Gateway;
  let slowHeader: RawClient;

  beforeAll(async () => {
    gateway = await startGateway({ config: { listen: { allowedOrigins: ALLOWED_ORIGINS } } });
    slowHeader = await RawClient.connect(gateway.port);
    slowHeader.send('GET /ws HTTP/1.1\r\nHost: slow\r\nX-Never-Ends: ');
  });

  it('accepts a correct request with the key of RFC 6455, section 1.3', async () => {
    const answer = await askUpgrade(gateway.port);
    expect(answer.status).toBe(101);
    expect(answer.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect(answer.headers['sec-websocket-protocol'], 'nothing was offered').toBeUndefined();
  });

  it.each([
    ['a query string', { path: '/ws?room=1' }],
    ['a list in Connection', { headers: { Connection: 'keep-alive, Upgrade' } }],
    ['Upgrade in capitals', { headers: { Upgrade: 'WebSocket' } }],
    ['an unknown extension', { headers: { 'Sec-WebSocket-Extensions': 'x-made-up; level=3' } }],
  ] satisfies [string, UpgradeRequest][])('accepts %s', async (_what, request) => {
    expect((await askUpgrade(gateway.port, request)).status).toBe(101);
  });

  it.each(['99', '12', '8', '0', 'x', ''])(
    'answers 426 with the version it speaks to version "%s"',
    async (version) => {
      const answer = await askUpgrade(gateway.port, { headers: { 'Sec-WebSocket-Version': version } });
      expect(answer.status).toBe(426);
      expect(answer.headers['sec-websocket-version']).toBe('13');
    },
  );

  it('answers 426 to a request without a version', async () => {
    const answer = await askUpgrade(gateway.port, { headers: { 'Sec-WebSocket-Version': null } });
    expect(answer.status).toBe(426);
    expect(answer.headers['sec-websocket-version']).toBe('13');
  });

  it.each([
    ['no key', null],
    ['an empty key', ''],
    ['a key that is not base64', '!!!not base64 at all!!!='],
    ['a key of 15 bytes', Buffer.alloc(15).toString('base64')],
    ['a key of 17 bytes', Buffer.alloc(17).toString('base64')],
    ['a key without its padding', 'dGhlIHNhbXBsZSBub25jZQ'],
  ])('answers 400 to %s', async (_what, key) => {
    expect((await askUpgrade(gateway.port, { headers: { 'Sec-WebSocket-Key': key } })).status).toBe(400);
  });

  it.each([
    ['no Upgrade header', { headers: { Upgrade: null } }],
    ['another Upgrade', { headers: { Upgrade: 'h2c' } }],
    ['no Connection header', { headers: { Connection: null } }],
    ['a Connection without upgrade', { headers: { Connection: 'keep-alive' } }],
  ] satisfies [string, UpgradeRequest][])('answers 400 or 426 to %s', async (_what, request) => {
    expect([400, 426]).toContain((await askUpgrade(gateway.port, request)).status);
  });

  it('does not upgrade a POST', async () => {
    expect([400, 404, 405]).toContain((await askUpgrade(gateway.port, { method: 'POST' })).status);
  });

  it('answers 400 that names the known codecs to an unknown one', async () => {
    const answer = await askUpgrade(gateway.port, { path: '/ws?codec=snappy' });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatch(/codec/i);
  });

  it.each(['/', '/nope', '/ws/', '/wsx', '/WS'])('answers 404 to the path %s', async (path) => {
    expect((await askUpgrade(gateway.port, { path })).status).toBe(404);
  });

  it.each(ALLOWED_ORIGINS)('accepts the Origin %s', async (Origin) => {
    expect((await askUpgrade(gateway.port, { headers: { Origin } })).status).toBe(101);
  });

  it.each([
    'null',
    'http://app.example.com',
    'https://app.example.com.evil.test',
    'https://evil-app.example.com',
    'https://evil.test/https://app.example.com',
    'https://app.example.com@evil.test',
    'https://app.example.com:8443',
    'https://app.example.co',
    'https://example.com',
    'http://localhost',
    'http://localhost:30000',
    'http://localhost:3000.evil.test',
  ])('answers 403 to the Origin %s', async (Origin) => {
    expect((await askUpgrade(gateway.port, { headers: { Origin } })).status).toBe(403);
  });

  it('answers 431 to a flood of headers', async () => {
    const headers = Object.fromEntries(
      Array.from({ length: 200 }, (_, i) => [`X-Flood-${i}`, 'x'.repeat(60)]),
    );
    expect((await askUpgrade(gateway.port, { headers })).status).toBe(431);
  });

  it('answers 200 to GET /health on the listener of the clients', async () => {
    expect((await fetch(`http://127.0.0.1:${gateway.port}/health`)).status).toBe(200);
  });

  it('counts what it refused, by reason', async () => {
    const before = (await gateway.metrics()).sum('websocket_rejected_total');
    await askUpgrade(gateway.port, { headers: { Origin: 'https://evil.test' } });
    const page = await gateway.metrics();
    expect(page.sum('websocket_rejected_total')).toBe(before + 1);
    expect(page.labelValues('websocket_rejected_total', 'reason').length).toBeGreaterThan(1);
  });

  it('drops a client whose header never ends', async () => {
    expect(await slowHeader.closed, 'no close frame before an upgrade').toBe(1006);
  });
});

describe('admission', () => {
  const held: RawClient[] = [];
  let gateway: Gateway;

  beforeAll(async () => {
    const listen = { maxConnections: 8, maxConnectionsPerIp: 2, trustedProxies: ['127.0.0.1/32'] };
    gateway = await startGateway({ config: { listen } });
  });

  afterEach(async () => {
    for (const client of held.splice(0)) client.destroy();
    await allGone(gateway);
  });

  /** Asks for an upgrade and, when it is granted, holds the connection to the end of the test. */
  async function hold(request: UpgradeRequest): Promise<number> {
    const { client, answer } = await RawClient.upgrade(gateway.port, request);
    if (answer.status === 101) held.push(client);
    else client.destroy();
    return answer.status;
  }

  const forwardedFor = (addresses: string): UpgradeRequest => ({ headers: { 'X-Forwarded-For': addresses } });

  it('answers 503 to one client more than maxConnections, and counts back to exactly 0', async () => {
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 8; n++) expect(await hold(forwardedFor(`10.0.0.${n}`)), `client ${n}`).toBe(101);
      expect((await gateway.metrics()).sum('websocket_connections_total')).toBe(8);
      expect(await hold(forwardedFor('10.0.0.99'))).toBe(503);
      for (const client of held.splice(0)) client.destroy();
      await allGone(gateway);
    }
  });

  it('gives a place back when a client in the middle of its handshake goes away', async () => {
    for (let n = 0; n < 50; n++) {
      const client = await RawClient.connect(gateway.port);
      client.send(upgradeRequest(gateway.port, forwardedFor(`10.1.0.${n}`)));
      client.destroy();
    }
    await allGone(gateway);
    for (let n = 0; n < 8; n++) expect(await hold(forwardedFor(`10.2.0.${n}`)), `client ${n}`).toBe(101);
  });

  it('answers 429 to one client more than maxConnectionsPerIp', async () => {
    expect(await hold({ from: '127.0.0.5' })).toBe(101);
    expect(await hold({ from: '127.0.0.5' })).toBe(101);
    expect(await hold({ from: '127.0.0.5' })).toBe(429);
    expect(await hold({ from: '127.0.0.6' }), 'another address has its own count').toBe(101);
  });

  it('counts clients of a trusted proxy by the X-Forwarded-For it wrote', async () => {
    expect(await hold(forwardedFor('198.51.100.7'))).toBe(101);
    expect(await hold(forwardedFor('198.51.100.7'))).toBe(101);
    expect(await hold(forwardedFor('198.51.100.7'))).toBe(429);
    expect(await hold(forwardedFor('198.51.100.8'))).toBe(101);
  });

  it('reads X-Forwarded-For from the right, so that a client cannot choose its key', async () => {
    expect(await hold(forwardedFor('1.1.1.1, 198.51.100.9'))).toBe(101);
    expect(await hold(forwardedFor('2.2.2.2, 198.51.100.9'))).toBe(101);
    expect(await hold(forwardedFor('3.3.3.3,198.51.100.9'))).toBe(429);
    expect(await hold(forwardedFor('4.4.4.4, 198.51.100.9, 127.0.0.1')), 'a trusted hop is skipped').toBe(
      429,
    );
  });

  it('takes 1,000 forged X-Forwarded-For values of an untrusted peer for one client', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 1_000; n += 50) {
      const batch = Array.from({ length: 50 }, (_, i) => ({
        ...forwardedFor(`203.0.${(n + i) >> 8}.${(n + i) & 255}`),
        from: '127.0.0.7',
      }));
      statuses.push(...(await Promise.all(batch.map(hold))));
    }
    expect(statuses.filter((status) => status === 101)).toHaveLength(2);
    expect(statuses.filter((status) => status === 429)).toHaveLength(998);
  });

  it('counts IPv6 clients by their /64', async () => {
    expect(await hold(forwardedFor('2001:db8:1:2::1'))).toBe(101);
    expect(await hold(forwardedFor('2001:db8:1:2:ffff:ffff:ffff:ffff'))).toBe(101);
    expect(await hold(forwardedFor('2001:0DB8:0001:0002::3'))).toBe(429);
    expect(await hold(forwardedFor('2001:db8:1:3::1'))).toBe(101);
  });

  it('takes an IPv4 address inside IPv6 for the same client', async () => {
    expect(await hold(forwardedFor('198.51.100.10'))).toBe(101);
    expect(await hold(forwardedFor('::ffff:198.51.100.10'))).toBe(101);
    expect(await hold(forwardedFor('198.51.100.10'))).toBe(429);
  });
});

describe('an upgrade that needs an upstream', () => {
  it('is answered 503 with Retry-After when no upstream is healthy', async () => {
    const upstreams = [`ws://127.0.0.1:${await freePort()}`];
    const pool = { mode: 'session', upstreams, minConnections: 1, reconnect: { baseDelayMs: 50 } };
    const gateway = await startGateway({ config: { pools: { main: pool } } });
    const refused = await eventually(async () => {
      const answer = await askUpgrade(gateway.port);
      expect(answer.status).toBe(503);
      return answer;
    });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    const offering = await askUpgrade(gateway.port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    expect(offering.status, 'a client whose subprotocol the upstream must choose').toBe(503);
    await allGone(gateway);
  });

  it('is answered 503 when the upstream accepts TCP and says nothing for connectTimeoutMs', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTearDown(() => void silent.close());
    const upstreams = [`ws://127.0.0.1:${(silent.address() as AddressInfo).port}`];
    const gateway = await startGateway({
      config: { pools: { main: { mode: 'session', upstreams, connectTimeoutMs: 300 } } },
    });
    const answer = await askUpgrade(gateway.port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } });
    expect(answer.status).toBe(503);
    await allGone(gateway);
  });
});

async function allGone(gateway: Gateway): Promise<void> {
  await eventually(async () => {
    expect((await gateway.metrics()).find('websocket_connections_total'), 'open connections').toBe(0);
  });
}
