import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { stringify } from 'yaml';
import { startChild, waitForPort } from './child.ts';
import type { Child } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { MetricsPage } from './metrics-page.ts';
import { wsluiceCommand } from './program/wsluice.ts';
import { tempDir } from './temp-dir.ts';

/** The root of the checkout. */
export const CHECKOUT = resolve(import.meta.dirname, '../..');

/** A wsluice process and what a user has of it: its addresses, metrics, logs and exit code. */
export interface Gateway extends Child {
  readonly port: number;
  readonly adminPort: number;
  /** The WebSocket address on the default path. */
  readonly url: string;
  readonly adminUrl: string;
  /** The WebSocket address on another path, which may carry a query. */
  at(path: string): string;
  metrics(): Promise<MetricsPage>;
  /** Each line of stdout and stderr that is a JSON object. */
  logs(): Record<string, unknown>[];
}

/** What a gateway is started with; `config` is written to a YAML file. */
export interface GatewayOptions {
  readonly args?: readonly string[];
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** The port of its client listener, which another process may have too; by default a free one. */
  readonly port?: number;
}

/** Starts the compiled wsluice on free loopback ports and waits until both listeners accept. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const port = options.port ?? (await freePort());
  const adminPort = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
  if (options.config !== undefined) args.push('--config', configFile(options.config));
  const child = runWsluice([...args, ...(options.args ?? [])], options.env);
  await waitForPort(child, port);
  await waitForPort(child, adminPort);
  const gateway = asGateway(child, port, adminPort);
  // Another process may have been what answered on the port; an upstream need not be there yet.
  if (options.port !== undefined)
    await eventually(async () => expect((await fetch(`${gateway.adminUrl}/ready`)).status).toBe(200));
  return gateway;
}

/** A gateway out of a process that was started by other means. */
export function asGateway(child: Child, port: number, adminPort: number): Gateway {
  const adminUrl = `http://127.0.0.1:${adminPort}`;
  return {
    ...child,
    port,
    adminPort,
    url: `ws://127.0.0.1:${port}/ws`,
    adminUrl,
    at: (path) => `ws://127.0.0.1:${port}${path}`,
    metrics: async () => new MetricsPage(await (await fetch(`${adminUrl}/metrics`)).text()),
    logs: () => child.output().split('\n').flatMap(parseLogLine),
  };
}

/** Starts the command line with `args`, compiled, and waits for nothing. */
export function runWsluice(args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const [node, file] = wsluiceCommand();
  return startChild(node, [file, ...args], { env, cwd: CHECKOUT });
}

/** Writes `config` as a YAML file and returns its path. */
export function configFile(config: Readonly<Record<string, unknown>>): string {
  const path = join(tempDir(), 'wsluice.yaml');
  writeFileSync(path, stringify(config));
  return path;
}

function parseLogLine(line: string): Record<string, unknown>[] {
  if (!line.startsWith('{')) return [];
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return [];
  }
}
