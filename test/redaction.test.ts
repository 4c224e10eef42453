import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { stringify } from 'yaml';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCheck } from '../server/commands/check.ts';
import { startBackend } from './support/backend.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { configFile, runWsluice, startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { startMuxBackend } from './support/mux-backend.ts';
import { askUpgrade, clientFrame, RawClient } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';
import { onTearDown } from './support/tear-down.ts';

/** Whatever is secret holds it, so that whatever tells a secret tells it. */
const CANARY = 'canary-7f3a9c51';
const spellings = [
  CANARY,
  Buffer.from(`user:${CANARY}`).toString('base64'),
  Buffer.from(CANARY).toString('hex'),
];
const adminToken = `${CANARY}-admin`;
const bearer = { Authorization: `Bearer ${adminToken}` };

/** What a client sends along that nobody else may see. */
const secrets = {
  Authorization: `Bearer ${CANARY}`,
  Cookie: `session=${CANARY}`,
  'X-Api-Key': CANARY,
  'X-Request-Id': `not an id: ${CANARY}`,
  'User-Agent': CANARY,
  Referer: `https://example/?${CANARY}`,
};
const query = `?token=${CANARY}`;

let gateway: Gateway;
let file: string;
let config: Record<string, unknown>;

/** A server that answers each handshake with what stands in `answers`, in turn. */
async function startOdd(answers: readonly string[]): Promise<string> {
  let next = 0;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answers[next++ % answers.length]!));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => void server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const oddAnswers = [
  `HTTP/1.1 500 ${CANARY}\r\nX: ${CANARY}\r\n\r\n${CANARY}`,
  `HTTP/1.1 101x ${CANARY}\r\n\r\n`,
  `HTTP/1.1 200 OK ${CANARY}\r\nSet-Cookie: ${CANARY}\r\n\r\n`,
  `HTTP/1.1 101 OK\r\nSet-Cookie: a=${CANARY}\u0001\r\n\r\n`,
  `HTTP/1.1 101 OK\r\n folded ${CANARY}\r\n\r\n`,
  `HTTP/1.1 101 OK\r\nUpgrade: ${CANARY}\r\n\r\n`,
  `HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${CANARY}\r\n\r\n`,
  CANARY,
];

beforeAll(async () => {
  const [session, jsonRpc, mux] = await Promise.all([
    startSessionBackend({ handleProtocols: (protocols) => [...protocols][0] ?? false }),
    startJsonRpcBackend(),
    startMuxBackend(),
  ]);
  const wrongProtocol = await startBackend({
    handleProtocols: () => `other.${CANARY}`,
    onConnection: () => undefined,
  });
  const odd = await startOdd(oddAnswers);
  const dead = `127.0.0.1:${await freePort()}`;
  const secretUrl = (authority: string): string => `ws://user:${CANARY}@${authority}/up?key=${CANARY}`;
  const pool = (mode: string, authority: string) => ({
    mode,
    upstreams: [secretUrl(authority)],
    requestTimeoutMs: 400,
    breaker: { failureThreshold: 2, resetTimeoutMs: 100 },
    reconnect: { baseDelayMs: 10, maxDelayMs: 50 },
  });
  const authority = ({ port }: { port: number }): string => `127.0.0.1:${port}`;
  const pools = {
    session: pool('session', authority(session)),
    request: { ...pool('request', authority(jsonRpc)), subscriptions: { presets: ['mcp'] } },
    mux: pool('mux', authority(mux)),
    dead: pool('request', dead),
    deadsession: pool('session', dead),
    odd: pool('session', odd),
    wrong: pool('session', authority(wrongProtocol)),
  };
  config = {
    admin: { token: adminToken },
    identity: { header: 'x-api-key', query: 'token' },
    listen: { allowedOrigins: ['https://good.example'], maxMessageBytes: 4_096 },
    rateLimits: [
      { scope: 'route', match: '/limited', strategy: 'token-bucket', requestsPerSecond: 1, burst: 1 },
      { scope: 'identity', strategy: 'token-bucket', requestsPerSecond: 1_000 },
    ],
    redis: { url: `redis://user:${CANARY}@127.0.0.1:${await freePort()}/0` },
    log: { level: 'trace', slowRequestMs: 50 },
    routes: [
      ...Object.keys(pools).map((name) => ({ path: `/${name}`, pool: name })),
      { path: '/limited', pool: 'session' },
    ],
    pools,
  };
  file = configFile(config);
  gateway = await startGateway({ args: ['--config', file] });
});

/** Fails when the text tells what is secret, and shows where. */
function expectNoCanary(text: string): void {
  const at = spellings
    .map((spelling) => text.toLowerCase().indexOf(spelling.toLowerCase()))
    .find((n) => n >= 0);
  expect(at === undefined ? '' : text.slice(Math.max(0, at - 200), at + 60)).toBe('');
}

const connect = (path: string, headers: Record<string, string> = {}, protocols: string[] = []) =>
  connectClient(gateway.at(path + query), { headers: { ...secrets, ...headers }, protocols });

const admin = (path: string, init: { method?: string; body?: string } = {}): Promise<Response> =>
  fetch(gateway.adminUrl + path, { ...init, headers: bearer });

describe('a secret', () => {
  it('is passed on where it should be, so that there is something to tell', async () => {
    const client = await connect('/session', {}, [CANARY]);
    client.send(CANARY);
    expect(await client.nextText()).toBe(CANARY);
    await client.close(4_000, CANARY);
  });

  it('comes with handshakes that are refused', async () => {
    const asked: [string, Record<string, string>][] = [
      [`/nowhere-${CANARY}${query}`, {}],
      [`/session${query}`, { 'Sec-WebSocket-Version': '7' }],
      [`/session${query}`, { 'Sec-WebSocket-Key': CANARY }],
      [`/session${query}`, { 'Sec-WebSocket-Protocol': `${CANARY}, @@${CANARY}` }],
      [`/session?codec=${CANARY}`, {}],
      [`/session${query}`, { Origin: `https://${CANARY}.example` }],
      [`/dictionary/${CANARY}`, {}],
      [`/deadsession${query}`, {}],
      [`/dead${query}`, {}],
      [`/wrong${query}`, { 'Sec-WebSocket-Protocol': CANARY }],
      ...oddAnswers.flatMap((): [string, Record<string, string>][] => [[`/odd${query}`, {}]]),
    ];
    for (const [path, headers] of asked) {
      const { status } = await askUpgrade(gateway.port, { path, headers: { ...secrets, ...headers } });
      expect(status).toBeGreaterThanOrEqual(400);
    }
  });

  it('comes with requests that are wrong, slow, or never answered', async () => {
    const client = await connect('/request');
    const call = (method: string, id: unknown = CANARY): string =>
      JSON.stringify({ jsonrpc: '2.0', id, method, params: { ms: 100, secret: CANARY } });
    client.send(call('late'));
    client.send(call(`${CANARY} is no name`, 2));
    client.send(call('error', 3));
    client.send(call('unsolicited', 4));
    client.send(call('never', 5));
    client.send(`{"jsonrpc":"2.0","method":"${CANARY}",,}`);
    client.send(CANARY);
    for (let n = 0; n < 7; n++) await client.next(5_000);
    client.send('x'.repeat(5_000) + CANARY);
    expect((await client.closed).code).toBe(1009);
    await eventually(() => expect(gateway.output()).toContain('slow request'));
  });

  it('comes with messages, closings and broken frames, in every mode', async () => {
    for (const path of ['/session', '/mux']) {
      const client = await connect(path);
      client.send(CANARY);
      await client.next();
      client.send(`!close 4001 ${CANARY}`);
      expect((await client.closed).code).toBe(4_001);
    }
    const limited = await connect('/limited');
    for (let n = 0; n < 50; n++) limited.send(CANARY);
    await limited.next();
    await limited.close(1000, CANARY);
    const { client: raw } = await RawClient.upgrade(gateway.port, {
      path: `/session${query}`,
      headers: secrets,
    });
    raw.socket.write(clientFrame(CANARY, { rsv: 1 }));
    await raw.closed;
  });

  it('comes with what operators ask for', async () => {
    const refused = await fetch(`${gateway.adminUrl}/api/pools${query}`, {
      headers: { Authorization: `Bearer wrong-${CANARY}` },
    });
    expect(refused.status).toBe(401);
    const body = (value: unknown): { method: string; body: string } => ({
      method: 'PUT',
      body: JSON.stringify(value),
    });
    await admin('/api/limits', { method: 'PUT', body: `{"${CANARY}` });
    await admin('/api/limits', body([{ scope: CANARY }]));
    await admin('/api/pools/dead', body({ upstreams: [`ws://user:${CANARY}@127.0.0.1:9/?k=${CANARY}`] }));
    await admin('/api/pools/dead', body({ upstreams: [`http://${CANARY}`] }));
    await admin(`/api/clients/${CANARY}`, { method: 'DELETE' });
    await admin(`/${CANARY}?${CANARY}`);
    for (const what of ['pause', 'resume', 'reconnect'])
      await admin(`/api/pools/request/${what}`, { method: 'POST' });
  });

  it('is in none of the answers that tell how the gateway is', async () => {
    const stays = await connect('/session');
    const also = await connect('/mux');
    const pages = ['/metrics', '/health', '/ready', '/health/detailed', '/api/limits', '/api/pools'];
    pages.push('/api/pools/session', '/api/upstreams', '/api/clients', '/api/admin/performance', '/');
    for (const page of pages) {
      const response = await admin(page);
      expectNoCanary(await response.text());
      expectNoCanary(JSON.stringify([...response.headers]));
    }
    expectNoCanary(await (await fetch(`http://127.0.0.1:${gateway.port}/health`)).text());
    await stays.close(1000);
    await also.close(1000);
  });

  it('is in no fault of a configuration that is reloaded or checked', async () => {
    const faulty = [
      stringify({ ...config, redis: { url: `redis:/${CANARY}` }, admin: { token: CANARY, [CANARY]: 1 } }),
      stringify({ ...config, pools: { main: { upstreams: [`ftp://user:${CANARY}@x/?${CANARY}`] } } }),
      `admin: { token: "${CANARY}\nredis: { url: ${CANARY}`,
      `admin:\n  token: ${CANARY}\n token: ${CANARY}\n- ${CANARY}`,
    ];
    for (const text of faulty) {
      writeFileSync(file, text);
      const before = gateway.logs().length;
      gateway.signal('SIGHUP');
      await eventually(() => expect(gateway.logs().length).toBeGreaterThan(before));
      let said = '';
      const sink = { write: (words: string) => (said += words) };
      expect(runCheck(file, { stdout: sink, stderr: sink })).toBe(1);
      // A key is no secret: somebody who misspells one is told which.
      expectNoCanary(said.replace(`admin.${CANARY}: unknown key`, ''));
    }
    const upstream = `ws//user:${CANARY}@host/?${CANARY}`;
    const start = runWsluice(['--redis', `redis://:${CANARY}`, '--upstream', upstream]);
    expect(await start.exited).toBe(1);
    expectNoCanary(start.output());
  });

  it('is nowhere in the log, at its most talkative, nor on stderr', async () => {
    const seen = new Set(gateway.logs().map(({ msg }) => msg));
    for (const message of [
      ...['slow request', 'client rejected', 'client is closed', 'client left', 'upstream cannot be reached'],
      ...['breaker opened: nothing goes to this upstream', 'rate limit refuses', 'pool has no upstream'],
      ...['Redis does not answer: rate limits are not shared', 'upstreams replaced', 'pool paused'],
    ])
      expect(seen).toContain(message);
    expect(await gateway.stop()).toBe(0);
    expectNoCanary(gateway.output().replaceAll(`admin.${CANARY}: unknown key`, ''));
  });
});
