import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { startBackend } from './support/backend.ts';
import { startChild, waitForPort, type Child } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { asGateway, CHECKOUT, configFile, type Gateway } from './support/gateway.ts';
import { wsluiceCommand } from './support/program/wsluice.ts';
import { askUpgrade, RawClient } from './support/raw-client.ts';

const OPEN_FILES = 300;

interface Report {
  readonly fits: boolean;
  readonly holds: number;
  readonly maxConnections: number;
  readonly bindsFirst: string;
  readonly engine: string;
  readonly limits: readonly {
    readonly name: string;
    readonly value: unknown;
    readonly clients: number | null;
  }[];
}

/** Runs the command line in a shell after `prepare`. */
function inShell(prepare: string, args: readonly string[]): Child {
  return startChild('sh', ['-c', `${prepare}; exec "$@"`, 'sh', ...wsluiceCommand(), ...args], {
    cwd: CHECKOUT,
  });
}

async function diagnose(
  prepare: string,
  args: readonly string[] = [],
): Promise<Report & { readonly code: unknown }> {
  const child = inShell(prepare, ['doctor', '--json', ...args]);
  const code = await child.exited;
  return { ...(JSON.parse(child.output()) as Report), code };
}

/** A gateway that may have OPEN_FILES open. */
async function startShort(args: readonly string[]): Promise<Gateway> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const ports = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
  // Raw clients answer no ping.
  const config = configFile({ heartbeat: { intervalMs: 0 } });
  const child = inShell(`ulimit -n ${OPEN_FILES}`, [...ports, '--config', config, ...args]);
  await waitForPort(child, adminPort, 60_000);
  await waitForPort(child, port, 60_000);
  return asGateway(child, port, adminPort);
}

async function fill(gateway: Gateway, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) {
    const { client, answer } = await RawClient.upgrade(gateway.port);
    expect(answer.status, `client ${clients.length + 1} of ${count}`).toBe(101);
    clients.push(client);
  }
  return clients;
}

/** The share of a core that the gateway takes while nothing happens. */
async function idleCores(gateway: Gateway): Promise<number> {
  const cpu = async (): Promise<number> => (await gateway.metrics()).sum('process_cpu_seconds_total');
  const [beforeSeconds, beforeMs] = [await cpu(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, 500));
  return (((await cpu()) - beforeSeconds) * 1_000) / (performance.now() - beforeMs);
}

describe('wsluice doctor', () => {
  it('reads what the shell and the kernel say', async () => {
    const report = await diagnose('true');
    const value = (name: string): unknown => report.limits.find((limit) => limit.name === name)?.value;
    const told = (file: string): number[] =>
      execFileSync('cat', [`/proc/sys/${file}`], { encoding: 'utf8' })
        .trim()
        .split(/\s+/)
        .map(Number);
    expect(value('nofile')).toBe(Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })));
    expect(value('nr_open')).toBe(told('fs/nr_open')[0]);
    expect(value('file-max')).toBe(told('fs/file-max')[0]);
    expect(value('somaxconn')).toBe(told('net/core/somaxconn')[0]);
    expect(value('ports')).toEqual(told('net/ipv4/ip_local_port_range'));
    expect(value('tcp_mem')).toEqual(told('net/ipv4/tcp_mem'));
    expect(report.engine).toMatch(/^uws-pack \d+\.\d+\.\d+$/);
    expect(report.code).toBe(report.fits ? 0 : 1);
  });
});

describe('what it says is so', () => {
  it('with the embedded backend', async () => {
    const [{ code, holds, bindsFirst }, gateway] = await Promise.all([
      diagnose(`ulimit -n ${OPEN_FILES}`),
      startShort([]),
    ]);
    expect({ code, bindsFirst }).toEqual({ code: 1, bindsFirst: 'nofile' });
    expect(gateway.logs()).toContainEqual(
      expect.objectContaining({ level: 40, openFiles: OPEN_FILES, clients: holds, maxConnections: 16_000 }),
    );
    const clients = await fill(gateway, holds);
    const seen = await diagnose('true', ['--pid', String(gateway.pid)]);
    expect(seen, 'seen from a shell with other limits').toMatchObject({ holds, bindsFirst });
    for (let more = 0; more < 50; more++) expect((await askUpgrade(gateway.port)).status).toBe(503);
    expect((await gateway.metrics()).sum('websocket_connections_total'), 'none was lost').toBe(holds);
    expect(await idleCores(gateway), 'cores of a full gateway').toBeLessThan(0.5);
    clients.pop()!.destroy();
    await eventually(async () => (await connectClient(gateway.url)).close());
    expect(gateway.hasExited()).toBe(false);
  }, 120_000);

  it('in session mode, with two files for each client', async () => {
    const backend = await startBackend({
      onConnection: (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })),
    });
    const args = ['--upstream', backend.url];
    const [{ holds }, gateway] = await Promise.all([
      diagnose(`ulimit -n ${OPEN_FILES}`, args),
      startShort(args),
    ]);
    await fill(gateway, holds);
    expect(backend.connectionsNow()).toBe(holds);
    expect((await askUpgrade(gateway.port)).status).toBe(503);
    expect(backend.connectionsPeak(), 'none is dialled for who is not let in').toBe(holds);
    expect(gateway.hasExited()).toBe(false);
  }, 120_000);
});
