/** Runs the benches that a file registers: `run-file.ts <file>`. Its figures go to the parent process; without one mitata prints them. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from 'mitata';
import type { BenchFile, FileFigures, Timing } from './bench-file.ts';

/** So often a bench is run until it was seen in batches. */
const mostAttempts = 8;
/** What takes less cannot be timed by itself: reading the clock takes as long. */
const leastAloneNs = 10_000;
const everything = /^/;

const file = process.argv[2];
if (file === undefined) throw new Error('run-file.ts <file of benches>');
const url = pathToFileURL(resolve(file)).href;

if (process.send === undefined) {
  await import(url);
  await run();
} else process.send(await figures());

async function figures(): Promise<FileFigures> {
  const timings = new Map<string, Timing>();
  let left: RegExp | undefined = everything;
  for (let attempt = 1; left !== undefined; attempt++) {
    if (attempt > mostAttempts) throw new Error(`the machine is too busy to time ${left.source}`);
    const seen = await runOnce(attempt, left);
    for (const { timing } of seen) timings.set(timing.title, timing);
    const doubtful = seen
      .filter(({ isDoubtful }) => isDoubtful)
      .map(({ name }) => name.replaceAll(/[^\w ]/g, '\\$&'));
    left = doubtful.length === 0 ? undefined : new RegExp(`^(?:${doubtful.join('|')})$`);
  }
  const { user, system } = process.cpuUsage();
  return { timings: [...timings.values()], cpuMs: (user + system) / 1_000 };
}

interface Seen {
  readonly name: string;
  readonly timing: Timing;
  /** mitata calls what was slow at first, if only because another program had the core, one by one. */
  readonly isDoubtful: boolean;
}

/** mitata forgets what it has run, and a module registers once: each attempt loads it anew. */
async function runOnce(attempt: number, filter: RegExp): Promise<Seen[]> {
  const { workOf } = (await import(`${url}?attempt=${attempt}`)) as BenchFile;
  const { layout, benchmarks } = (await run({ format: 'quiet', throw: true, filter })) as unknown as Finished;
  return benchmarks.flatMap(({ group, runs }) =>
    runs.map(({ name, stats }) => {
      const [of] = [layout[group]?.name].filter((one) => typeof one === 'string');
      const title = of === undefined ? name : `${of}: ${name}`;
      const { operations = 1, bytes, smaller } = workOf?.(title) ?? {};
      const timing = {
        ...{ title, ns: stats.p50 / operations },
        ...(bytes === undefined ? {} : { bytes: bytes / operations }),
        ...(smaller === undefined ? {} : { smaller }),
      };
      return { name, timing, isDoubtful: stats.p50 < leastAloneNs && stats.ticks === stats.samples.length };
    }),
  );
}

/** What mitata's `run` returns; its own types leave the groups out. */
interface Finished {
  readonly layout: readonly { readonly name: string | number | null }[];
  readonly benchmarks: readonly {
    readonly group: number;
    readonly runs: readonly {
      readonly name: string;
      readonly stats: { readonly p50: number; readonly ticks: number; readonly samples: readonly number[] };
    }[];
  }[];
}
