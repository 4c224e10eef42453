import { expect, it } from 'vitest';
import { namedPids, ProcessWatch, usedBy } from './process-watch.ts';

it('sees what a process used since the last look; not one that is new, nor one that is gone', () => {
  const pids: Record<string, number> = { loader: process.pid };
  const watch = new ProcessWatch(() => pids);
  pids['loader 2'] = process.ppid;
  pids['loader 3'] = 2 ** 30;
  const untilMs = performance.now() + 100;
  while (performance.now() < untilMs);
  const { processes, machineCores } = watch.look();
  expect(Object.keys(processes)).toEqual(['loader']);
  expect(processes['loader']!.cores).toBeGreaterThan(0);
  expect(processes['loader']!.residentBytes).toBeGreaterThan(1e6);
  expect(machineCores).toBeGreaterThan(0);
  expect(Object.keys(watch.look().processes)).toEqual(['loader', 'loader 2']);
});

it('names processes by their kind, and adds up those of one', () => {
  expect(namedPids({ gateway: [5, 6], backend: [7] })).toEqual({ gateway: 5, 'gateway 2': 6, backend: 7 });
  const use = { cores: 0.5, residentBytes: 10 };
  expect(usedBy('gateway', { gateway: use, 'gateway 2': use, backend: use })).toEqual({
    cores: 1,
    residentBytes: 20,
  });
  expect(usedBy('loader', { gateway: use })).toBeUndefined();
});
