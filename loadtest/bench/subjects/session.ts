import { nginxInstalled, startBackend, startGateway, startNginx } from '../../stand/servers.ts';
import type { Subject } from '../subject.ts';
import { against } from './against.ts';

/** Session mode against nginx: both hold one upstream connection per client, in front of one echo backend. */
export const session: Subject = {
  name: 'session',
  async run(bench) {
    if (!nginxInstalled()) {
      bench.print('session: left out, nginx is not installed\n');
      return;
    }
    const { children, options, dir } = bench;
    const backend = await startBackend(children, 'echo');
    const pool = ['--max-connections', String(options.clients), '--upstream', `${backend.url}/wsluice`];
    const a = await startGateway(children, {
      file: options.gatewayFile,
      args: ['--mode', 'session', ...pool],
      cpuProfileDir: options.cpuProfileDir,
      backend,
    });
    const b = await startNginx(children, `${dir}/nginx`, backend);
    const depths = options.depths.filter((depth) => depth === 1);
    await against(bench, {
      ...{ subject: 'session', protocol: 'echo', depths, a, b },
      goals: { 1: 0.6 },
    });
    await backend.stop();
  },
};
