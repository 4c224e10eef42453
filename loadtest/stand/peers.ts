import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { childPidsOf } from './cpu.ts';
import type { Children } from './children.ts';
import { haproxyConfig } from './haproxy-config.ts';
import { nginxConfig } from './nginx-config.ts';
import { freePort, portOpen } from './ports.ts';
import { only, startTimeoutMs, upstream } from './servers.ts';
import type { Backend, Server } from './servers.ts';

/** A proxy of somebody else's, as Debian packages it. */
export interface Peer {
  readonly name: 'nginx' | 'haproxy';
  readonly debianPackage: string;
  /** Asks it for its version. */
  readonly versionFlag: string;
}

export const nginx: Peer = { name: 'nginx', debianPackage: 'nginx-light', versionFlag: '-v' };
export const haproxy: Peer = { name: 'haproxy', debianPackage: 'haproxy', versionFlag: '-v' };

export interface PeerOptions {
  readonly children: Children;
  /** An empty directory for its files. */
  readonly dir: string;
  readonly backend: Backend;
  /** How many it has to hold. */
  readonly clients: number;
}

/** Where Debian puts what ordinary users do not have in their PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Returns the file of a program, in PATH or where Debian puts servers; undefined where it is not installed. */
export function programFile(name: string, path = process.env['PATH'] ?? ''): string | undefined {
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...systemFolders];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Returns the version that an installed peer tells of itself. */
export function peerVersion({ name, versionFlag }: Peer): string {
  const { stdout, stderr } = spawnSync(programFile(name) ?? name, [versionFlag], { encoding: 'utf8' });
  return /\d+\.\d+[\w.+~-]*/.exec(stdout + stderr)?.[0] ?? 'unknown';
}

/** nginx, one worker, tunnelling each client over a connection of its own; throws when it is not installed. */
export async function startNginx({ children, dir, backend }: PeerOptions): Promise<Server> {
  const port = await freePort();
  const configFile = `${dir}/nginx.conf`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(configFile, nginxConfig({ dir, port, backendPort: backend.port, upstreamPath: '/nginx' }));
  const child = children.start({
    name: 'nginx',
    command: installed(nginx),
    args: ['-p', dir, '-e', `${dir}/error.log`, '-c', configFile],
  });
  await children.watch('starting nginx', startTimeoutMs, (over) => portOpen(port, over));
  const pids = (): number[] => [child.pid, ...childPidsOf(child.pid)];
  return { ...only(child), name: 'nginx', port, path: '/ws', pids, ...upstream('/nginx', backend) };
}

/** HAProxy, one thread, likewise. */
export async function startHaproxy({ children, dir, backend, clients }: PeerOptions): Promise<Server> {
  const port = await freePort();
  const configFile = `${dir}/haproxy.cfg`;
  mkdirSync(dir, { recursive: true });
  writeFileSync(
    configFile,
    haproxyConfig({ port, backendPort: backend.port, upstreamPath: '/haproxy', clients }),
  );
  // -db: it stays the process that was started.
  const child = children.start({
    name: 'haproxy',
    command: installed(haproxy),
    args: ['-db', '-f', configFile],
  });
  await children.watch('starting haproxy', startTimeoutMs, (over) => portOpen(port, over));
  return { ...only(child), name: 'haproxy', port, path: '/ws', ...upstream('/haproxy', backend) };
}

function installed(peer: Peer): string {
  const file = programFile(peer.name);
  if (file === undefined) throw new Error(missingPeer(peer));
  return file;
}

/** What to tell where a peer is not installed. */
export function missingPeer({ name, debianPackage }: Peer): string {
  return `${name} is not installed (on Debian and Ubuntu: apt-get install ${debianPackage})`;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
