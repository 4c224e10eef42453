import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { aligned } from '../result/aligned.ts';

const shown = 15;

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: Frame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

/** Returns the functions with the most self time in the newest `.cpuprofile` of the directory, idle time left out. */
export function hottestFunctions(dir: string): string {
  const newest = readdirSync(dir)
    .filter((file) => file.endsWith('.cpuprofile'))
    .sort()
    .at(-1);
  if (!newest) return 'the gateway wrote no CPU profile';
  const selfUs = selfTimes(JSON.parse(readFileSync(join(dir, newest), 'utf8')) as Profile);
  const busyUs = [...selfUs.values()].reduce((sum, us) => sum + us, 0);
  const rows = [...selfUs]
    .sort(([, a], [, b]) => b - a)
    .slice(0, shown)
    .map(([name, us]) => [name, `${((us / busyUs) * 100).toFixed(1)} %`]);
  return `hottest functions, self time (${newest})\n${aligned([['', ''], ...rows])}`;
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const selfUs = new Map<string, number>();
  for (const [i, id] of samples.entries()) {
    const name = names.get(id)!;
    selfUs.set(name, (selfUs.get(name) ?? 0) + timeDeltas[i]!);
  }
  selfUs.delete('(idle)');
  return selfUs;
}

function nameOf({ functionName, url, lineNumber }: Frame): string {
  const name = functionName || '(anonymous)';
  return url === '' ? name : `${name} ${basename(url)}:${lineNumber + 1}`;
}
