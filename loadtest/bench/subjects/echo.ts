import { startBackend, startGateway } from '../../stand/servers.ts';
import type { Subject } from '../subject.ts';
import { against } from './against.ts';

/** The gateway as `npm start` runs it, with its embedded echo, against an echo on the bare engine. */
export const echo: Subject = {
  name: 'echo',
  async run(bench) {
    const { children, options } = bench;
    const a = await startGateway(children, {
      file: options.gatewayFile,
      args: [],
      cpuProfileDir: options.cpuProfileDir,
    });
    const b = await startBackend(children, 'echo');
    await against(bench, {
      ...{ subject: 'echo', protocol: 'echo', depths: options.depths, a, b },
      goals: { 16: 0.85 },
    });
  },
};
