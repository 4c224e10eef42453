import { describe, expect, it } from 'vitest';
import { parseOptions } from './options.ts';
import { planFor, type Machine } from './plan.ts';

const machine: Machine = {
  ...{ cores: 2, openFiles: 20_000, filesLeft: 2_000_000 },
  ...{ memoryLeftBytes: 24e9, ports: 28_232 },
};

function plan(line: string, changes: Partial<Machine> = {}, manyAddresses = true) {
  return planFor(parseOptions(line.split(' ')), { ...machine, ...changes }, manyAddresses);
}

describe('the plan of a run', () => {
  it('has as many processes as open files ask for', () => {
    expect(plan('--connections 10000 --rate 50000')).toEqual({ loaders: 1, gateways: 1, backends: 1 });
    expect(plan('--connections 100000')).toEqual({ loaders: 6, gateways: 7, backends: 1 });
    expect(plan('--connections 250000')).toMatchObject({ loaders: 13, gateways: 17 });
    expect(plan('--connections 30000 --mode session')).toEqual({ loaders: 2, gateways: 4, backends: 2 });
    expect(plan('--connections 5000 ws://127.0.0.1/')).toEqual({ loaders: 1, gateways: 0, backends: 0 });
  });

  it('has more where there are cores for them', () => {
    expect(plan('--rate 200000', { cores: 16 })).toMatchObject({ loaders: 5, gateways: 4 });
  });

  it('does as it is told', () => {
    expect(plan('--processes 3 --gateways 2')).toMatchObject({ loaders: 3, gateways: 2 });
  });

  it.each([
    [
      '--connections 250000',
      { openFiles: 1_500 },
      true,
      /1,500 files open.* 24,320 would fit; raise the limit/,
    ],
    ['--connections 50000 --processes 2', {}, true, /2 loader processes.* 39,000 would fit.*--processes/],
    ['--connections 50000 --gateways 2', {}, true, /2 gateways are the most here, so that 35,910 would fit/],
    ['--connections 50000 ws://10.0.0.1/', {}, false, /28,232 would fit/],
    ['--connections 100000', { memoryLeftBytes: 2e9 }, true, /2,000 MB of memory are free, so that 15,333/],
    ['--connections 100000', { memoryLeftBytes: 1e8 }, true, /so that 0 would fit/],
    ['--connections 100000', { filesLeft: 100_000 }, true, /50,000 would fit; raise fs.file-max/],
  ])('says how many would fit: %s with %o', (line, changes, manyAddresses, reason) => {
    expect(() => plan(line, changes, manyAddresses)).toThrow(reason);
  });
});
