import { sessionPool, startPooling } from '../../compare/stand.ts';
import { missingPeer, nginx, programFile, startNginx } from '../../stand/peers.ts';
import { startBackend } from '../../stand/servers.ts';
import type { Subject } from '../subject.ts';
import { against } from './against.ts';
import { standOf } from './stand-of.ts';

/** Session mode against nginx: both hold one upstream connection per client, in front of one echo backend. */
export const session: Subject = {
  name: 'session',
  async run(bench) {
    if (programFile(nginx.name) === undefined) {
      bench.print(`session: left out, ${missingPeer(nginx)}\n`);
      return;
    }
    const { children, options, dir } = bench;
    const backend = await startBackend(children, 'echo');
    const a = await startPooling(standOf(bench), 'wsluice', backend, sessionPool(options.pace.clients));
    const b = await startNginx({ children, dir: `${dir}/nginx`, backend, clients: options.pace.clients });
    const depths = options.depths.filter((depth) => depth === 1);
    await against(bench, {
      ...{ subject: 'session', protocol: 'echo', depths, a, b },
      goals: { 1: 0.6 },
    });
    await backend.stop();
  },
};
