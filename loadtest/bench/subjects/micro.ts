import { globSync } from 'node:fs';
import { readMitata } from '../mitata-output.ts';
import type { Timing } from '../mitata-output.ts';
import type { Subject } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';

const fileTimeoutMs = 60_000;

/** The most nanoseconds wanted for the benches whose name matches. */
interface Goal {
  readonly name: RegExp;
  readonly atMostNs: number;
}

/** The bench files beside the sources, each run in a process of its own. */
export const microSubjects: readonly Subject[] = [
  micro('picks', 'pool/balancers/*.bench.ts', [{ name: /./, atMostNs: 20 }]),
  micro('scan', 'pool/jsonrpc/*.bench.ts', []),
  micro('wire', 'pool/wire/*.bench.ts', []),
  micro('metrics', 'metrics/*.bench.ts', [
    { name: /Counters\.add$/, atMostNs: 3 },
    { name: /Histogram\.observe$/, atMostNs: 8 },
  ]),
];

function micro(name: string, pattern: string, goals: readonly Goal[]): Subject {
  return {
    name,
    async run({ children, print, progress, keep }) {
      const files = globSync(pattern).sort();
      if (files.length === 0) print(`${name}: no file matches ${pattern}\n`);
      for (const file of files) {
        progress(`${name}: ${file} …`);
        const timings = readMitata(await children.outputOf(file, [file], fileTimeoutMs));
        keep({ subject: name, file, timings });
        const rows = timings.map((timing) => [timing.name, ns(timing.averageNs), verdict(timing, goals)]);
        print(`${name}: ${file}\n${aligned([['', 'ns', 'goal'], ...rows])}\n`);
      }
    },
  };
}

function verdict(timing: Timing, goals: readonly Goal[]): string {
  const goal = goals.find(({ name }) => name.test(timing.name));
  if (!goal) return '';
  return `≤ ${goal.atMostNs} ${timing.averageNs <= goal.atMostNs ? 'met' : 'missed'}`;
}

function ns(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}
