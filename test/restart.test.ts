import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import { CHECKOUT, runWsluice, startGateway, type Gateway } from './support/gateway.ts';
import { RawClient, upgradeRequest } from './support/raw-client.ts';
import { ReturningClients, type Departure } from './support/returning-clients.ts';

const clientCount = 2_000;
const cycles = 5;
const spreadMs = 2_000;
const lateCount = 20;

const page = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8');

it('a new process on the same port takes over from the old one, five times: nobody is refused, and no reply is lost', async () => {
  const backend = await startFixture('rpc-backend.mjs');
  // A machine that stands still for a moment is no reason for an error.
  const queue = { maxSize: 2 * clientCount, timeoutMs: 30_000 };
  const main = { mode: 'request', upstreams: [backend.url], minConnections: 4, queue };
  const config = { drain: { spreadMs }, pools: { main } };
  let gateway = await startGateway({ config });
  const { port } = gateway;
  const clients = new ReturningClients({
    pauseMs: 1_000,
    connect: () => connect({ port, host: '127.0.0.1' }),
  });
  await clients.add(clientCount);
  const perSecond: number[] = [];
  for (let cycle = 0; cycle < cycles; cycle++) {
    const next = await startGateway({ config, port });
    await runDocsCommand('/ready', 8082, next.adminPort);
    const left = clients.departures.length;
    const late = await Promise.all(Array.from({ length: lateCount }, () => RawClient.connect(port)));
    if (cycle === 0) await runDocsCommand('/api/drain', 8081, gateway.adminPort);
    else gateway.signal('SIGTERM');
    await eventually(() => expect(gateway.output()).toContain('"draining:'));
    expect(await upgradeAll(late)).toEqual(late.map(() => 101));
    expect(await gateway.exited).toBe(0);
    await clients.allOpen();
    for (const client of late) client.destroy();
    const departures = clients.departures.slice(left);
    expect(departures.length, 'each of those who were on the old one left it once').toBeLessThanOrEqual(
      clientCount,
    );
    countBySecond(departures, perSecond);
    gateway = next;
  }
  await clients.finish();
  expect(clients.refused).toEqual([]);
  expect(clients.faults).toEqual([]);
  expect(clients.departures.length).toBeGreaterThan((cycles * clientCount) / 2);
  expect(new Set(clients.departures.map(({ code }) => code))).toEqual(new Set([1001]));
  expect(clients.longestWaitMs).toBeLessThan(30_000);
  const mean = clients.departures.length / perSecond.length;
  expect(Math.max(...perSecond), `left by second: ${perSecond.join(', ')}`).toBeLessThan(2 * mean);
}, 240_000);

it('two processes share the clients of a port, and each says so but the first; the admin port is for one alone', async () => {
  const first = await startGateway();
  const { port } = first;
  const second = await startGateway({ port });
  const shared = 'another process has this port too';
  expect([first.output().includes(shared), second.output().includes(shared)]).toEqual([false, true]);
  const clients = await Promise.all(Array.from({ length: 60 }, () => RawClient.connect(port)));
  await upgradeAll(clients);
  const [ofFirst, ofSecond] = [await open(first), await open(second)];
  expect(ofFirst + ofSecond).toBe(60);
  expect(Math.min(ofFirst, ofSecond), 'an even chance for each').toBeGreaterThan(5);
  const again = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(first.adminPort)];
  const mistake = runWsluice(again);
  expect(await mistake.exited).toBe(1);
  expect(mistake.output()).toMatch(/^cannot open the admin listener on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
});

/** Runs the command of docs/operations.md that asks for this, on the admin port of the gateway under test. */
async function runDocsCommand(path: string, port: number, adminPort: number): Promise<void> {
  const commands = [...page.matchAll(/```sh\n(curl.*)\n```/g)].map(([, command]) => command!);
  const command = commands.find((one) => one.endsWith(`http://127.0.0.1:${port}${path}`));
  if (command === undefined) throw new Error(`docs/operations.md has no command for ${path} on ${port}`);
  const child = startChild('sh', ['-c', command.replace(`:${port}/`, `:${adminPort}/`)]);
  expect(await child.exited, child.output()).toBe(0);
}

function upgradeAll(clients: readonly RawClient[]): Promise<number[]> {
  return Promise.all(
    clients.map(async (client) => {
      client.send(upgradeRequest(0));
      return (await client.answer(20_000)).status;
    }),
  );
}

async function open(gateway: Gateway): Promise<number> {
  return (await gateway.metrics()).sum('websocket_connections_total');
}

/** Adds how many left in the first second of a drain, in the second one, and so on. */
function countBySecond(departures: readonly Departure[], perSecond: number[]): void {
  const firstMs = Math.min(...departures.map(({ atMs }) => atMs));
  for (const { atMs } of departures) {
    const second = Math.floor((atMs - firstMs) / 1_000);
    while (perSecond.length <= second) perSecond.push(0);
    perSecond[second]!++;
  }
}
