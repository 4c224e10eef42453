import { sharingPool, startPooling } from '../../compare/stand.ts';
import { missingPeer, nginx, programFile, startNginx } from '../../stand/peers.ts';
import { startBackend } from '../../stand/servers.ts';
import type { Subject } from '../subject.ts';
import { against } from './against.ts';
import { standOf } from './stand-of.ts';

/** Request mode over at most 8 upstream connections against nginx with one each, in front of one JSON-RPC backend. */
export const pooled: Subject = {
  name: 'pooled',
  async run(bench) {
    if (programFile(nginx.name) === undefined) {
      bench.print(`pooled: left out, ${missingPeer(nginx)}\n`);
      return;
    }
    const { children, options, dir } = bench;
    const backend = await startBackend(children, 'jsonrpc');
    const a = await startPooling(standOf(bench), 'wsluice', backend, sharingPool('request', 4, 8));
    const b = await startNginx({ children, dir: `${dir}/nginx`, backend, clients: options.pace.clients });
    await against(bench, {
      ...{ subject: 'pooled', protocol: 'jsonrpc', depths: options.depths, a, b },
      goals: { 1: 2.0, 16: 1.0 },
    });
    await backend.stop();
  },
};
