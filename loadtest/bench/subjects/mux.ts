import { writeFileSync } from 'node:fs';
import { startBackend, startGateway, type Server } from '../../stand/servers.ts';
import type { Bench, Subject } from '../subject.ts';
import { against } from './against.ts';

const connections = 4;

/** Mux mode against request mode, both over 4 upstream connections, each in front of a JSON-RPC backend of the bare engine. */
export const mux: Subject = {
  name: 'mux',
  async run(bench) {
    const a = await start(bench, 'mux');
    const b = await start(bench, 'request');
    await against(bench, {
      ...{ subject: 'mux', protocol: 'jsonrpc', depths: bench.options.depths, a, b },
      goals: { 1: 1.0, 16: 1.0 },
    });
  },
};

/** A gateway in mux mode, over 4 connections to a backend of its own. */
export function startMuxGateway(bench: Bench): Promise<Server> {
  return start(bench, 'mux');
}

async function start({ children, options, dir }: Bench, mode: 'mux' | 'request'): Promise<Server> {
  const backend = await startBackend(children, mode === 'mux' ? 'mux' : 'jsonrpc');
  const configFile = `${dir}/mux-${mode}.json`;
  const main = {
    mode,
    upstreams: [`${backend.url}/wsluice`],
    minConnections: connections,
    maxConnections: connections,
    maxInFlightPerConnection: 8192,
    queue: { maxSize: 20_000 },
  };
  writeFileSync(configFile, JSON.stringify({ pools: { main } }));
  return startGateway(children, {
    name: `${mode} mode`,
    file: options.gatewayFile,
    args: ['--config', configFile],
    cpuProfileDir: mode === 'mux' ? options.cpuProfileDir : undefined,
    backend,
  });
}
