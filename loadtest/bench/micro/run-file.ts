/** Runs the benches that a file registers: `run-file.ts <file>`. Its figures go to the parent process; without one mitata prints them. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from 'mitata';
import type { BenchFile, FileFigures, Timing } from './bench-file.ts';

const file = process.argv[2];
if (file === undefined) throw new Error('run-file.ts <file of benches>');
const { workOf } = (await import(pathToFileURL(resolve(file)).href)) as BenchFile;

if (process.send === undefined) await run();
else process.send(await figures());

async function figures(): Promise<FileFigures> {
  const all = await timings();
  const { user, system } = process.cpuUsage();
  return { timings: all, cpuMs: (user + system) / 1_000 };
}

async function timings(): Promise<Timing[]> {
  const { layout, benchmarks } = (await run({ format: 'quiet', throw: true })) as unknown as Finished;
  return benchmarks.flatMap(({ group, runs }) =>
    runs.map(({ name, stats }) => {
      const [of] = [layout[group]?.name].filter((one) => typeof one === 'string');
      const title = of === undefined ? name : `${of}: ${name}`;
      const { operations = 1, bytes, smaller } = workOf?.(title) ?? {};
      return {
        ...{ title, ns: stats.p50 / operations },
        ...(bytes === undefined ? {} : { bytes: bytes / operations }),
        ...(smaller === undefined ? {} : { smaller }),
      };
    }),
  );
}

/** What mitata's `run` returns; its own types leave the groups out. */
interface Finished {
  readonly layout: readonly { readonly name: string | number | null }[];
  readonly benchmarks: readonly {
    readonly group: number;
    readonly runs: readonly { readonly name: string; readonly stats: { readonly p50: number } }[];
  }[];
}
