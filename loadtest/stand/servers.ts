import { deferred } from './deferred.ts';
import { fileURLToPath } from 'node:url';
import type { Child } from './child.ts';
import type { Children } from './children.ts';
import type { Protocol } from '../loader/script.ts';
import { answersOk, freePort, portOpen } from './ports.ts';

/** How long a part of the stand may take to start. */
export const startTimeoutMs = 60_000;
const backendFile = fileURLToPath(new URL('./backend.ts', import.meta.url));
const endWithParent = new URL('./end-with-parent.ts', import.meta.url).href;
const muxBackendFile = fileURLToPath(new URL('./mux-backend.ts', import.meta.url));
const wsEchoFile = fileURLToPath(new URL('./ws-echo.ts', import.meta.url));

/** Something that clients connect to: the thing measured. */
export interface Server {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  /** All processes that do its work. */
  readonly pids: () => number[];
  /** How many connections it holds to the backend now; absent when there is no backend. */
  readonly upstreamConnections?: () => Promise<number>;
  readonly backendPid?: number;
  readonly stop: () => Promise<void>;
}

/** The bare engine in a process of its own: the backend of the others, or itself the thing measured. */
export interface Backend extends Server {
  readonly url: string;
  readonly openConnections: (path: string) => Promise<number>;
}

export interface GatewayOptions {
  /** What it is called in the figures. */
  readonly name?: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly cpuProfileDir: string | undefined;
  readonly backend?: Backend;
  /** By which the backend tells its connections apart from those of others. */
  readonly upstreamPath?: string;
  /** A port that several gateways share; by default one of its own. */
  readonly port?: number;
}

/** A gateway of the bench. */
export interface Gateway extends Server {
  readonly adminPort: number;
}

export async function startBackend(children: Children, protocol: Protocol | 'mux'): Promise<Backend> {
  const backend = prepareBackend(children, protocol, await freePort());
  await backend.listen();
  return backend;
}

/** A back end whose process is there, and listens when it is told to. */
export interface PreparedBackend extends Backend {
  readonly listen: () => Promise<void>;
}

/** Starts the process of a back end, which takes a moment, and leaves the port alone until `listen`. */
export function prepareBackend(
  children: Children,
  protocol: Protocol | 'mux',
  port: number,
): PreparedBackend {
  const file = protocol === 'mux' ? muxBackendFile : backendFile;
  let answer = deferred<Record<string, number>>();
  const child = children.startNode('backend', [file, String(port), protocol], (message) =>
    answer.resolve(message as Record<string, number>),
  );
  const listen = async (): Promise<void> => {
    if (protocol !== 'mux') child.send('listen');
    await children.watch('starting the backend', startTimeoutMs, (over) => portOpen(port, over));
  };
  const openConnections = async (path: string): Promise<number> => {
    answer = deferred();
    child.send('connections?');
    return (await answer.promise)[path] ?? 0;
  };
  const url = `ws://127.0.0.1:${port}`;
  return { ...only(child), name: 'bare engine', port, path: '/', url, openConnections, listen };
}

export async function startGateway(children: Children, options: GatewayOptions): Promise<Gateway> {
  const [port, adminPort] = [options.port ?? (await freePort()), await freePort()];
  const profile = options.cpuProfileDir ? ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfileDir}`] : [];
  const listen = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
  const args = [
    ...profile,
    '--import',
    endWithParent,
    options.file,
    ...listen,
    '--log-level',
    'warn',
    ...options.args,
  ];
  const child = children.startNode('gateway', args);
  await children.watch('starting the gateway', startTimeoutMs, (over) =>
    Promise.all([portOpen(port, over), answersOk(`http://127.0.0.1:${adminPort}/ready`, over)]),
  );
  const name = options.name ?? 'wsluice';
  return {
    ...only(child),
    name,
    port,
    adminPort,
    path: '/ws',
    ...upstream(options.upstreamPath ?? '/wsluice', options.backend),
  };
}

/** An echo with the package ws, which many back ends are built on. */
export async function startWsEcho(children: Children): Promise<Server> {
  const port = await freePort();
  const child = children.startNode('ws echo', [wsEchoFile, String(port)]);
  await children.watch('starting the echo with ws', startTimeoutMs, (over) => portOpen(port, over));
  return { ...only(child), name: 'ws', port, path: '/' };
}

/** What a server of one process is known by. */
export function only(child: Child): Pick<Server, 'pids' | 'stop'> {
  return { pids: () => [child.pid], stop: () => child.stop() };
}

/** What is known of the connections that a server holds to `backend` under `path`. */
export function upstream(
  path: string,
  backend?: Backend,
): Pick<Server, 'upstreamConnections' | 'backendPid'> {
  if (!backend) return {};
  return { backendPid: backend.pids()[0]!, upstreamConnections: () => backend.openConnections(path) };
}
