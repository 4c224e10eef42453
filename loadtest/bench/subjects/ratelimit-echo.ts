import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startGateway } from '../../stand/servers.ts';
import type { Bench } from '../subject.ts';
import { against } from './against.ts';

const plenty = 1e9;

/** Five limits that every message of the load is under, and none of which it reaches. */
const rateLimits = [
  { scope: 'global', strategy: 'token-bucket', requestsPerSecond: plenty },
  { scope: 'connection', strategy: 'sliding-window', requestsPerSecond: plenty },
  { scope: 'ip', strategy: 'leaky-bucket', requestsPerSecond: plenty },
  { scope: 'identity', strategy: 'token-bucket', requestsPerSecond: plenty },
  { scope: 'route', strategy: 'token-bucket', requestsPerSecond: plenty },
];

/** What five limits cost each message: the embedded echo with them and without. */
export async function measureEcho(bench: Bench): Promise<void> {
  const { children, options, dir } = bench;
  const file = join(dir, 'limits.json');
  writeFileSync(file, JSON.stringify({ rateLimits }));
  const own = { file: options.gatewayFile, cpuProfileDir: options.cpuProfileDir };
  const limited = await startGateway(children, { ...own, args: ['--config', file] });
  const unlimited = await startGateway(children, { ...own, cpuProfileDir: undefined, args: [] });
  await against(bench, {
    ...{ subject: 'five limits', protocol: 'echo', depths: options.depths },
    a: { ...limited, name: 'five limits' },
    b: { ...unlimited, name: 'no limits' },
    goals: { 16: 0.97 },
  });
}
