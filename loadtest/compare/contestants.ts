import { writeFileSync } from 'node:fs';
import type { Protocol } from '../loader/script.ts';
import { haproxy, nginx, startHaproxy, startNginx } from '../stand/peers.ts';
import type { Peer } from '../stand/peers.ts';
import { startBackend, startGateway, startWsEcho } from '../stand/servers.ts';
import type { Server } from '../stand/servers.ts';
import { sessionPool, sharingPool, startPooling } from './stand.ts';
import type { Backends, StandOptions } from './stand.ts';

/** Something that takes part in `npm run compare`. */
export interface Contestant {
  readonly name: string;
  /** Only those with the same one are compared. */
  readonly protocol: Protocol;
  /** The program of somebody else's that must be installed. */
  readonly peer?: Peer;
  readonly start: (stand: StandOptions, backends: Backends) => Promise<Server>;
}

/** Limits that every message is under, and that none reaches: the gateway as it is run, not as it is fastest. */
const plenty = 1e9;
const everythingOn = {
  rateLimits: [
    { scope: 'global', strategy: 'token-bucket', requestsPerSecond: plenty },
    { scope: 'connection', strategy: 'sliding-window', requestsPerSecond: plenty },
  ],
};

/** All there are, in the order in which they take turns. */
export const contestants: readonly Contestant[] = [
  {
    ...{ name: 'bare', protocol: 'echo' },
    start: async ({ children }) => ({ ...(await startBackend(children, 'echo')), name: 'bare' }),
  },
  { ...{ name: 'ws', protocol: 'echo' }, start: ({ children }) => startWsEcho(children) },
  {
    ...{ name: 'echo', protocol: 'echo' },
    start: async ({ children, dir, gatewayFile, cpuProfileDir }) => {
      const configFile = `${dir}/echo.json`;
      writeFileSync(configFile, JSON.stringify(everythingOn));
      const args = ['--config', configFile];
      return startGateway(children, { name: 'echo', file: gatewayFile, args, cpuProfileDir });
    },
  },
  {
    ...{ name: 'nginx', protocol: 'jsonrpc', peer: nginx },
    start: async ({ children, dir, clients }, backends) =>
      startNginx({ children, dir: `${dir}/nginx`, clients, backend: await backends.of('jsonrpc') }),
  },
  {
    ...{ name: 'haproxy', protocol: 'jsonrpc', peer: haproxy },
    start: async ({ children, dir, clients }, backends) =>
      startHaproxy({ children, dir: `${dir}/haproxy`, clients, backend: await backends.of('jsonrpc') }),
  },
  {
    ...{ name: 'session', protocol: 'jsonrpc' },
    start: async (stand, backends) =>
      startPooling(stand, 'session', await backends.of('jsonrpc'), sessionPool(stand.clients)),
  },
  {
    ...{ name: 'request', protocol: 'jsonrpc' },
    start: async (stand, backends) =>
      startPooling(stand, 'request', await backends.of('jsonrpc'), sharingPool('request', 4, 8)),
  },
  {
    ...{ name: 'mux', protocol: 'jsonrpc' },
    start: async (stand, backends) =>
      startPooling(stand, 'mux', await backends.of('mux'), sharingPool('mux', 4, 8)),
  },
];

/** A ratio that tells something, with the least that is wanted of it, by depth. */
export interface WantedRatio {
  readonly a: string;
  readonly b: string;
  readonly goals: Readonly<Record<number, number>>;
}

export const wantedRatios: readonly WantedRatio[] = [
  { a: 'echo', b: 'bare', goals: { 16: 0.85 } },
  { a: 'echo', b: 'ws', goals: {} },
  { a: 'request', b: 'nginx', goals: { 1: 2, 16: 1 } },
  { a: 'request', b: 'haproxy', goals: {} },
  { a: 'session', b: 'nginx', goals: { 1: 0.6 } },
  { a: 'session', b: 'haproxy', goals: {} },
  { a: 'mux', b: 'nginx', goals: { 1: 2, 16: 1 } },
  { a: 'mux', b: 'haproxy', goals: {} },
];

/** The goal for modes that share connections: more would be pooling in name only. */
export const mostShared = 16;

/** The contestants asked for by name, all when none is; throws for a name that is none, with those there are. */
export function chosenContestants(names: readonly string[]): readonly Contestant[] {
  const known = contestants.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`no contestant ${unknown}; there are ${known.join(', ')}`);
  return names.length === 0 ? contestants : contestants.filter(({ name }) => names.includes(name));
}
