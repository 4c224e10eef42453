import { writeFileSync } from 'node:fs';
import type { Children } from './children.ts';
import { openFilesLimit } from './memory.ts';
import { freePort } from './ports.ts';
import { startGateway, type Gateway } from './servers.ts';

/** Files of a gateway that are no clients, as it counts them itself, and some more. */
const otherFiles = 1_100;
/** A machine on which many processes share few cores may keep a client waiting, which is no fault of the gateway. */
const heartbeatTimeoutMs = 30_000;
// Where the machine is busy with something else, messages wait and are not refused: the percentiles tell.
const queue = { maxSize: 1_000_000, maxBytes: 1 << 28, timeoutMs: 30_000 };

export interface GatewaysOptions {
  readonly children: Children;
  /** Where their configuration is written. */
  readonly dir: string;
  readonly count: number;
  readonly pool: Readonly<Record<string, unknown>>;
  /** How often each client is pinged. */
  readonly heartbeatMs: number;
  readonly file: string;
  readonly cpuProfileDir: string | undefined;
}

/** Starts gateways that share one port and hold as many clients as they may have open files. */
export async function startGateways(options: GatewaysOptions): Promise<Gateway[]> {
  const { children, dir, count, pool, heartbeatMs, file, cpuProfileDir } = options;
  const configFile = `${dir}/gateways.json`;
  const config = {
    listen: { maxConnections: openFilesLimit() - otherFiles },
    heartbeat: { intervalMs: heartbeatMs, timeoutMs: heartbeatTimeoutMs },
    drain: { spreadMs: 0, timeoutMs: 1_000 },
    pools: { main: { queue, ...pool } },
  };
  writeFileSync(configFile, JSON.stringify(config));
  const port = await freePort();
  const gateways: Gateway[] = [];
  while (gateways.length < count)
    gateways.push(
      await startGateway(children, { port, file, args: ['--config', configFile], cpuProfileDir }),
    );
  return gateways;
}
