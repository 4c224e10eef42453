import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { openFilesLimit } from '../stand/memory.ts';
import type { Environment } from './run-result.ts';

/** Returns what lies between this machine and servers, by the names in their addresses. */
export function networkTo(hosts: readonly string[]): string {
  const isHere = (host: string): boolean => /^(localhost|\[?::1\]?|127\..*)$/.test(host);
  return hosts.every(isHere) ? 'loopback' : `to ${[...new Set(hosts)].join(', ')}`;
}

/** Returns the machine this process runs on; `network` says what is between the loader and the server. */
export function environment(network: string, others: Readonly<Record<string, string>> = {}): Environment {
  const manifest = new URL('../../package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    network,
    openFiles: openFilesLimit(),
    node: process.version,
    wsluice: version,
    others,
  };
}
