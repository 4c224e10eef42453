import { writeFileSync } from 'node:fs';
import { isNoisy, saturated } from '../../compare/bottleneck.ts';
import { medianOf } from '../../compare/figures.ts';
import type { Figures } from '../../compare/figures.ts';
import type { Packing } from '../../loader/packing.ts';
import { measure } from '../../compare/measure.ts';
import { startBackend, startGateway } from '../../stand/servers.ts';
import type { Backend, Server } from '../../stand/servers.ts';
import type { Bench, Subject } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';
import { grouped } from '../../result/grouped.ts';
import { quietest } from '../../compare/turns.ts';

const clients = 64;
const depth = 4;

interface Variant {
  readonly name: string;
  readonly packing: Packing;
  readonly server: Server;
}

/** Messages of 10 KB through the gateway in session mode, to an echo and back: without a codec and with each. */
export const codecGateway: Subject = {
  name: 'codec-gateway',
  async run(bench) {
    const backend = await startBackend(bench.children, 'echo');
    const gateway = await startWith(bench, backend, 'off');
    const deflating = await startWith(bench, backend, 'shared');
    const through = (packing: Packing): Variant => ({
      ...{ name: packing, packing },
      server: { ...gateway, name: packing, path: `${gateway.path}?codec=${packing}` },
    });
    const none: Variant = { name: 'no codec', packing: 'none', server: { ...gateway, name: 'no codec' } };
    const deflate: Variant = {
      ...{ name: 'permessage-deflate', packing: 'permessage-deflate' },
      server: { ...deflating, name: 'permessage-deflate' },
    };
    const figures = await measureAll(bench, [
      none,
      through('zstd'),
      through('brotli'),
      through('gzip'),
      deflate,
    ]);
    bench.keepOther({ subject: 'codec-gateway', clients, depth, figures });
    bench.print(
      `codec-gateway: 10 KB messages echoed, ${clients} clients, depth ${depth}\n${table(figures)}\n`,
    );
    await Promise.all([gateway.stop(), deflating.stop(), backend.stop()]);
  },
};

async function startWith(bench: Bench, backend: Backend, permessageDeflate: string): Promise<Server> {
  const configFile = `${bench.dir}/codec-${permessageDeflate}.json`;
  const main = { mode: 'session', upstreams: [`${backend.url}/wsluice`], maxConnections: clients };
  writeFileSync(configFile, JSON.stringify({ listen: { permessageDeflate }, pools: { main } }));
  return startGateway(bench.children, {
    file: bench.options.gatewayFile,
    args: ['--config', configFile],
    cpuProfileDir: bench.options.cpuProfileDir,
    backend,
  });
}

/** All variants take turns, round after round. */
async function measureAll(bench: Bench, variants: readonly Variant[]): Promise<Figures[]> {
  const { warmupMs, windowMs, rounds, retries } = bench.options.pace;
  const runs: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const { name, packing, server } of variants) {
      bench.progress(`codec-gateway: ${name}, round ${round} of ${rounds} …`);
      const load = { protocol: 'echo', packing, clients, depth, warmupMs, windowMs } as const;
      runs.push(await quietest(retries, () => measure(bench.children, server, load)));
    }
  }
  return variants.map(({ name }) => medianOf(runs.filter((run) => run.server === name)));
}

function table(figures: readonly Figures[]): string {
  const head = [
    '',
    'messages/s',
    '÷ no codec',
    'µs CPU/msg',
    '+ µs',
    'bytes/reply',
    'p50 ms',
    'p99 ms',
    'saturated',
  ];
  const [none] = figures;
  const cells = figures.map((run) => [
    run.server,
    grouped(run.messagesPerSecond),
    (run.messagesPerSecond / none!.messagesPerSecond).toFixed(2),
    run.serverCpuUsPerMessage.toFixed(1),
    (run.serverCpuUsPerMessage - none!.serverCpuUsPerMessage).toFixed(1),
    grouped(run.frameBytes!),
    (run.p50Us / 1000).toFixed(2),
    (run.p99Us / 1000).toFixed(2),
    saturated(run),
  ]);
  const noisy = figures.some(isNoisy);
  return (
    aligned([head, ...cells]) +
    (noisy ? '\n  Other programs were using the machine: do not trust these figures.' : '')
  );
}
