import { sharingPool, startPooling } from '../../compare/stand.ts';
import { startBackend, type Server } from '../../stand/servers.ts';
import type { Bench, Subject } from '../subject.ts';
import { against } from './against.ts';
import { standOf } from './stand-of.ts';

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

async function start(bench: Bench, mode: 'mux' | 'request'): Promise<Server> {
  const backend = await startBackend(bench.children, mode === 'mux' ? 'mux' : 'jsonrpc');
  const stand = standOf(bench);
  return startPooling(
    mode === 'mux' ? stand : { ...stand, cpuProfileDir: undefined },
    `${mode} mode`,
    backend,
    sharingPool(mode, connections, connections),
  );
}
