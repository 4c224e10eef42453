import { describe, expect, it } from 'vitest';
import { microGroups } from './groups.ts';
import { microBenchOf } from './measure-group.ts';
import { microTable } from './table.ts';

const group = (name: string) => microGroups.find((one) => one.name === name)!;
const lines = (...args: Parameters<typeof microTable>): string[] =>
  microTable(...args)
    .split('\n')
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' | '));

describe('microTable', () => {
  it('has the goal, the seed’s figure and how many times faster than that it is', () => {
    const benches = [
      microBenchOf(group('balancers'), { title: 'random, 16 members', ns: 4.05 }),
      microBenchOf(group('balancers'), { title: 'peak-ewma, 16 members', ns: 25 }),
    ];
    expect(lines(benches)).toEqual([
      "takes | goal | seed's figure | × faster",
      'random, 16 members | 4.0 ns | ≤ 20 ns: met | 81.0 ns | 20.0',
      'peak-ewma, 16 members | 25.0 ns | ≤ 20 ns: missed',
    ]);
  });

  it('shows packing in MB/s of what is packed, and how much smaller it gets', () => {
    const pack = { title: 'gzip 6, pack', ns: 100_000, bytes: 10_000, smaller: 3.07 };
    const unpack = { title: 'gzip 6, unpack', ns: 20_000, bytes: 10_000 };
    expect(lines([pack, unpack].map((timing) => microBenchOf(group('codec'), timing)))).toEqual([
      "takes | seed's figure | × faster | smaller | seed's",
      'gzip 6, pack | 100 MB/s | 42.0 MB/s | 2.4 | 3.07× | 2.8×',
      'gzip 6, unpack | 500 MB/s | 312 MB/s | 1.6',
    ]);
  });

  it('has no columns in which nothing stands', () => {
    expect(lines([microBenchOf(group('framing'), { title: 'read: binary', ns: 1234 })])).toEqual([
      'takes',
      'read: binary | 1,234 ns',
    ]);
  });
});

describe('microGroups', () => {
  it('have a name each, and no title that two expectations match', () => {
    expect(new Set(microGroups.map(({ name }) => name)).size).toBe(microGroups.length);
    const titles = ['Counters.add', 'Histogram.observe', 'token-bucket, allowed', 'leaky-bucket, refused'];
    for (const title of [...titles, 'gzip 6, pack', 'zstd 3, unpack', 'random, 4 members']) {
      const matches = microGroups.flatMap(({ expected }) => expected).filter((one) => one.title.test(title));
      expect(matches, title).toHaveLength(1);
    }
  });
});
