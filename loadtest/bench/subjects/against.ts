import type { Protocol } from '../../loader/script.ts';
import { compare } from '../../compare/compare.ts';
import { hottestFunctions } from '../../compare/hottest.ts';
import type { Server } from '../../stand/servers.ts';
import type { Bench } from '../subject.ts';
import { figuresTable, ratioLine, runLine } from '../../compare/table.ts';

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
    const comparison = await compare({
      ...{ children, options, protocol, depth, a, b },
      onRun: (figures) => bench.progress(`${subject}: ${runLine(figures)}`),
    });
    bench.keep({ subject, ...comparison });
    bench.print(`${ratioLine(subject, comparison, order.goals[depth])}\n${figuresTable(comparison)}\n`);
  }
  await Promise.all([a.stop(), b.stop()]);
  if (options.cpuProfileDir) bench.print(`${hottestFunctions(options.cpuProfileDir)}\n`);
}
