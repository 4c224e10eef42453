import { writeFileSync } from 'node:fs';
import { nginxInstalled, startBackend, startGateway, startNginx } from '../../stand/servers.ts';
import type { Subject } from '../subject.ts';
import { against } from './against.ts';

const maxConnections = 8;

/** Request mode over at most 8 upstream connections against nginx with one each, in front of one JSON-RPC backend. */
export const pooled: Subject = {
  name: 'pooled',
  async run(bench) {
    if (!nginxInstalled()) {
      bench.print('pooled: left out, nginx is not installed\n');
      return;
    }
    const { children, options, dir } = bench;
    const backend = await startBackend(children, 'jsonrpc');
    const configFile = `${dir}/pooled.json`;
    writeFileSync(configFile, JSON.stringify(gatewayConfig(`${backend.url}/wsluice`)));
    const a = await startGateway(children, {
      file: options.gatewayFile,
      args: ['--config', configFile],
      cpuProfileDir: options.cpuProfileDir,
      backend,
    });
    const b = await startNginx(children, `${dir}/nginx`, backend);
    await against(bench, {
      ...{ subject: 'pooled', protocol: 'jsonrpc', depths: options.depths, a, b },
      goals: { 1: 2.0, 16: 1.0 },
    });
    await backend.stop();
  },
};

function gatewayConfig(upstream: string): object {
  const main = {
    mode: 'request',
    upstreams: [upstream],
    minConnections: 4,
    maxConnections,
    maxInFlightPerConnection: 8192,
    queue: { maxSize: 20_000 },
  };
  return { pools: { main } };
}
