import { fileURLToPath } from 'node:url';
import { medianOf } from '../../compare/figures.ts';
import type { Figures } from '../../compare/figures.ts';
import { measure } from '../../compare/measure.ts';
import type { Subject } from '../subject.ts';
import { figuresTable } from '../../compare/table.ts';
import { quietest } from '../../compare/turns.ts';
import { startMuxGateway } from './mux.ts';

const stallersFile = fileURLToPath(new URL('../mux-stallers.ts', import.meta.url));
const stalledShare = 0.01;
const mostTimes = 1.1;

/** What clients that read nothing of a flood cost the others: mux mode with and without 1 % of them. */
export const muxStalled: Subject = {
  name: 'mux-stalled',
  async run(bench) {
    const { children, options } = bench;
    const { clients, warmupMs, windowMs, rounds, retries } = options.pace;
    const gateway = await startMuxGateway(bench);
    const load = { protocol: 'jsonrpc', clients, depth: 1, warmupMs, windowMs } as const;
    const stalled = Math.max(1, Math.round(clients * stalledShare));
    const alone: Figures[] = [];
    const beside: Figures[] = [];
    for (let round = 0; round < rounds; round++) {
      bench.progress('mux-stalled: without …');
      alone.push(await quietest(retries, () => measure(children, gateway, load)));
      bench.progress(`mux-stalled: beside ${stalled} …`);
      const stallers = children.startNode('stallers', [stallersFile, String(gateway.port), String(stalled)]);
      const server = { ...gateway, name: `beside ${stalled} stalled` };
      beside.push(await quietest(retries, () => measure(children, server, load)));
      await stallers.stop();
    }
    const [a, b] = [medianOf(beside), medianOf(alone)];
    const times = a.p99Us / b.p99Us;
    const verdict = times <= mostTimes ? 'met' : 'missed';
    bench.keepOther({ subject: 'mux-stalled', runs: [...alone, ...beside], a, b });
    bench.print(
      `mux beside ${stalled} stalled clients ÷ without, depth 1, ${clients} clients: p99 ${times.toFixed(2)}× (goal ≤ ${mostTimes.toFixed(2)}: ${verdict})\n` +
        `${figuresTable([a, b])}\n`,
    );
    await gateway.stop();
  },
};
