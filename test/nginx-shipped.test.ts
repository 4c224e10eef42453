import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway, type Gateway } from './support/gateway.ts';
import { RawClient, upgradeRequest, type HttpAnswer, type UpgradeRequest } from './support/raw-client.ts';
import { ReturningClients } from './support/returning-clients.ts';
import { startSessionBackend, type SessionBackend } from './support/session-backend.ts';
import { ShippedNginx, shippedConfig } from './support/shipped-nginx.ts';

const clientCount = 300;

describe('nginx/wsluice.conf', () => {
  it('is what nginx takes without a warning', async () => {
    const { exitCode, output } = await ShippedNginx.check();
    expect(output).toContain('test is successful');
    expect(output).not.toMatch(/warn|emerg/);
    expect(exitCode).toBe(0);
  });

  it('is explained in its README, each line of it and nothing else', () => {
    const readme = readFileSync(join(CHECKOUT, 'nginx/README.md'), 'utf8');
    const rows = [...readme.matchAll(/^\| `(.+?)` +\|/gm)].map(([, line]) => line!);
    const statements = [...new Set(statementsOf(shippedConfig()))];
    expect(rows.length).toBeGreaterThan(50);
    expect(statements.filter((statement) => !rows.some((row) => isRowOf(row, statement)))).toEqual([]);
    expect(rows.filter((row) => !statements.some((statement) => isRowOf(row, statement)))).toEqual([]);
  });

  it('spreads clients over three gateways, of which one is killed and one drained, and over one that is added', async () => {
    const config = {
      drain: { spreadMs: 1_000 },
      pools: { main: { mode: 'request', upstreams: ['echo:'] } },
    };
    const gateways: Gateway[] = [];
    // One after the other: together they are slow to start.
    while (gateways.length < 4) gateways.push(await startGateway({ config }));
    const [killed, drained, staying, added] = gateways as [Gateway, Gateway, Gateway, Gateway];
    const gatewayPorts = [killed.port, drained.port, staying.port];
    const nginx = await ShippedNginx.start({ gatewayPorts, workerShutdownTimeout: '2s' });
    const clients = new ReturningClients({ connect: () => nginx.connect(), pauseMs: 300 });
    await clients.add(clientCount);
    await expectEven(killed, drained, staying);

    killed.signal('SIGKILL');
    await expectEven(drained, staying);
    expect(clients.departures.splice(0).every(({ code }) => code === 1006)).toBe(true);

    expect(await drained.stop('SIGTERM', 20_000)).toBe(0);
    await expectEven(staying);
    expect(new Set(clients.departures.splice(0).map(({ code }) => code))).toEqual(new Set([1001]));

    const oldWorkers = nginx.workers();
    nginx.reload([staying.port, added.port]);
    await eventually(() => {
      expect(nginx.workers().some((pid) => !oldWorkers.includes(pid))).toBe(true);
      // For a moment the old workers take connections beside the new ones.
      expect(nginx.acceptingWorkers().some((pid) => oldWorkers.includes(pid))).toBe(false);
    });
    await clients.add(clientCount / 3);
    expect(await openAt(added), 'new connections go there').toBeGreaterThan(0);
    await eventually(() => expect(nginx.workers().some((pid) => oldWorkers.includes(pid))).toBe(false));
    await expectEven(staying, added);
    expect(clients.departures, 'the clients of the old workers').toHaveLength(clientCount);

    await clients.finish();
    expect([clients.refused, clients.faults]).toEqual([[], []]);

    /** Waits until everybody is connected, and looks how even it is. */
    async function expectEven(...over: Gateway[]): Promise<void> {
      const shares = await eventually(async () => {
        await clients.allOpen();
        const open = await Promise.all(over.map(openAt));
        expect(open.reduce((sum, share) => sum + share)).toBe(clients.count);
        return open;
      }, 20_000);
      const even = clients.count / over.length;
      for (const share of shares) expect(Math.abs(share - even), shares.join(', ')).toBeLessThan(even / 10);
    }
  }, 180_000);
});

describe('a client of nginx', () => {
  let backend: SessionBackend;
  let gateway: Gateway;
  let full: Gateway;
  let nginx: ShippedNginx;
  const perAddress = 3;
  const forwardHeaders = [
    'x-forwarded-for',
    'x-forwarded-proto',
    'x-real-ip',
    'forwarded',
    'x-request-id',
    'traceparent',
    'tracestate',
  ];

  beforeAll(async () => {
    backend = await startSessionBackend();
    const main = { mode: 'session', upstreams: [backend.url], forwardHeaders };
    gateway = await startGateway({
      config: { listen: { maxConnectionsPerIp: perAddress }, pools: { main } },
    });
    full = await startGateway({
      config: { listen: { maxConnections: 1 }, drain: { timeoutMs: 0 }, pools: { main } },
    });
    nginx = await ShippedNginx.start({ gatewayPorts: [gateway.port, full.port] });
  });

  /** Asks for an upgrade, or whatever else the request is; the connection stays. */
  function ask(request: UpgradeRequest = {}): Promise<HttpAnswer> {
    const client = new RawClient(nginx.connect(request.from));
    client.send(upgradeRequest(nginx.port, request));
    return client.answer(20_000);
  }

  it('goes to the next gateway when one answers 503, and is told its own 429', async () => {
    const refused = async (): Promise<number> =>
      (await full.metrics()).sum('websocket_rejected_total', { reason: 'total-cap' });
    // The full one has a client, and so fewer than the other has from its second on.
    for (let n = 0; n < 2 * perAddress && (await refused()) === 0; n++)
      expect((await ask({ from: `127.0.5.${n + 1}` })).status).toBe(101);
    expect(await refused()).toBeGreaterThan(0);
    const statuses: number[] = [];
    for (let n = 0; n < 2 * perAddress; n++) statuses.push((await ask({ from: '127.0.6.1' })).status);
    expect(statuses.filter((status) => status === 101).length).toBeLessThanOrEqual(perAddress + 1);
    expect(statuses.at(-1)).toBe(429);
  });

  it('is known by its own address, whatever it says, and by an id; its trace is passed on', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const forged = { 'X-Forwarded-For': '6.6.6.6', 'X-Real-IP': '6.6.6.6', Forwarded: 'for=6.6.6.6' };
    const headers = { ...forged, 'X-Request-Id': 'forged', traceparent, tracestate: 'a=1' };
    expect((await ask({ from: '127.0.7.1', headers })).status).toBe(101);
    const seen = backend.upgrades.at(-1)!.headers;
    expect(seen['x-forwarded-for']).toMatch(/^127\.0\.7\.1(, 127\.0\.0\.1)?$/);
    expect(seen['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect([seen['traceparent'], seen['tracestate'], seen['x-forwarded-proto']]).toEqual([
      traceparent,
      'a=1',
      'https',
    ]);
    expect(JSON.stringify(seen)).not.toMatch(/6\.6\.6\.6|forged/);
  });

  it('gets no further than the paths that are for it', async () => {
    const get = async (path: string): Promise<number> =>
      (await ask({ path, headers: { Upgrade: null, Connection: 'close' } })).status;
    expect(await get('/health')).toBe(200);
    expect(await get('/dictionary/1')).toBe(404);
    for (const path of [
      '/',
      '/metrics',
      '/api/pools',
      '/ready',
      '/health/detailed',
      '/ws/../metrics',
      '/wsx',
    ])
      expect([path, await get(path)]).toEqual([path, 404]);
  });

  it('is told 503 and when to come back when no gateway is there; no log has its query', async () => {
    await Promise.all([gateway.stop('SIGKILL'), full.stop('SIGKILL')]);
    const answer = await ask({ path: '/ws?token=canary', headers: { Referer: 'https://a.test/?canary' } });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    // Clients whose gateways are gone have a line too, before it or after it.
    const line = await eventually(() => {
      const lines = nginx.log('access').trim().split('\n');
      const refused = lines.find((text) => text.includes('"status":503'));
      expect(refused).toBeDefined();
      return JSON.parse(refused!) as Record<string, unknown>;
    });
    expect(line).toMatchObject({ path: '/ws', client: '127.0.0.1' });
    expect(nginx.log('access') + nginx.log('error')).not.toContain('canary');
  });
});

async function openAt(gateway: Gateway): Promise<number> {
  return (await gateway.metrics()).sum('websocket_connections_total');
}

/** Each directive of a configuration, on one line, and the first line of each block. */
function statementsOf(config: string): string[] {
  const withoutComments = config.replace(/^\s*#.*$/gm, '');
  // Texts in quotes hold what would end a statement.
  const statements = withoutComments.match(/(?:'[^']*'|"[^"]*"|[^;{}'"])+(?=[;{])/g) ?? [];
  return statements.map((statement) => statement.trim().replace(/\s+/g, ' '));
}

/** A row names the statement, or how it begins. */
function isRowOf(row: string, statement: string): boolean {
  return statement === row || statement.startsWith(`${row} `);
}
