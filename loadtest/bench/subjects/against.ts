import { medianOf } from '../../compare/figures.ts';
import { comparisonOf } from '../../compare/result.ts';
import { hottestFunctions } from '../../compare/hottest.ts';
import { ratioOf } from '../../compare/ratio.ts';
import { figuresTable, ratioLine, remediesFor, runLine } from '../../compare/table.ts';
import { measureInTurns } from '../../compare/turns.ts';
import type { Protocol } from '../../loader/script.ts';
import type { Server } from '../../stand/servers.ts';
import type { Bench } from '../subject.ts';

export interface AgainstOptions {
  readonly subject: string;
  readonly protocol: Protocol;
  readonly depths: readonly number[];
  /** The least ratio of round trips per second wanted, by depth. */
  readonly goals: Readonly<Record<number, number>>;
  readonly a: Server;
  readonly b: Server;
}

/** Compares two servers at each depth, prints a ratio and a table for each, and stops both. */
export async function against(bench: Bench, order: AgainstOptions): Promise<void> {
  const { children, options } = bench;
  const { subject, protocol, a, b } = order;
  for (const depth of order.depths) {
    bench.progress(`${subject}: depth ${depth} …`);
    const runs = await measureInTurns({
      ...{ children, pace: options.pace, depth },
      entrants: [a, b].map((server) => ({ server, protocol })),
      onTurn: () => undefined,
      onRun: (figures) => bench.progress(`${subject}: ${runLine(figures)}`),
    });
    const [one, other] = [a, b].map(({ name }) => medianOf(runs.filter(({ server }) => server === name)));
    const ratio = ratioOf(one!, other!, order.goals[depth]);
    bench.keepComparison(comparisonOf([one!, other!], [ratio], subject));
    const lines = [
      ratioLine(subject, ratio, options.pace.clients),
      figuresTable([one!, other!]),
      ...remediesFor([ratio]),
    ];
    bench.print(`${lines.join('\n')}\n`);
  }
  await Promise.all([a.stop(), b.stop()]);
  if (options.cpuProfileDir) bench.print(`${hottestFunctions(options.cpuProfileDir)}\n`);
}
