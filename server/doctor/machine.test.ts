import { describe, expect, it } from 'vitest';
import { limitsOf, madeUpMachine, silentMachine } from './machine.fixture.ts';
import { readMachine } from './machine.ts';

const GIB = 2 ** 30;

it('reads what a kernel tells', () => {
  expect(readMachine(madeUpMachine())).toEqual({
    openFiles: 524_288,
    nrOpen: 1_048_576,
    fileMax: 2 ** 63,
    filesOfOthers: 1_024,
    somaxconn: 4_096,
    portRange: [32_768, 60_999],
    ports: 28_232,
    tcpMem: [188_319, 251_092, 376_638],
    conntrackMax: undefined,
    tracked: undefined,
    memoryAvailableBytes: 15 * GIB,
    cgroupMemory: undefined,
    ownBytes: 0,
  });
});

it('knows nothing of a machine that tells nothing, and does not fail', () => {
  expect(Object.values(readMachine(silentMachine())).filter((value) => value !== undefined)).toEqual([0]);
});

it.each([
  ['words', 'proc/sys/fs/nr_open', 'many', 'nrOpen'],
  ['an empty file', 'proc/sys/net/ipv4/tcp_mem', '', 'tcpMem'],
  ['a cut-off line', 'proc/self/limits', 'Max open files', 'openFiles'],
  ['another unit', 'proc/meminfo', 'MemAvailable: lots', 'memoryAvailableBytes'],
] as const)('takes %s for unknown', (_what, path, text, key) => {
  expect(readMachine(madeUpMachine({ [path]: text }))[key]).toBeUndefined();
});

it('takes the hard limit on open files, to which Node raises the soft one', () => {
  expect(readMachine(madeUpMachine({ 'proc/self/limits': limitsOf('4096', '1024') })).openFiles).toBe(4_096);
  expect(readMachine(madeUpMachine({ 'proc/self/limits': limitsOf('unlimited') })).openFiles).toBe(Infinity);
});

it('leaves out reserved ports, those outside of the range not twice', () => {
  const reserved = { 'proc/sys/net/ipv4/ip_local_reserved_ports': '8080,40000-40009,40005,60990-61010' };
  expect(readMachine(madeUpMachine(reserved)).ports).toBe(28_232 - 10 - 10);
});

it('adds to what is free what a gateway that runs has already', () => {
  const files = madeUpMachine({
    'proc/77/limits': limitsOf('2048'),
    'proc/77/status': 'Name:\tnode\nVmRSS:\t  204800 kB',
    'proc/77/fd/0': '',
    'proc/77/fd/1': '',
  });
  expect(readMachine(files, '77')).toMatchObject({
    openFiles: 2_048,
    filesOfOthers: 1_022,
    ownBytes: 200 * 2 ** 20,
  });
});

describe('the memory of control groups', () => {
  const group = 'sys/fs/cgroup/system.slice/wsluice.slice/wsluice@a.service';
  const memoryOf = (told: Parameters<typeof madeUpMachine>[0]): unknown =>
    readMachine(madeUpMachine(told)).cgroupMemory;

  it('of version 2 is that of the group, less what the kernel would give back', () => {
    expect(
      memoryOf({
        [`${group}/memory.max`]: String(GIB),
        [`${group}/memory.high`]: 'max',
        [`${group}/memory.current`]: '5000000',
        [`${group}/memory.stat`]: 'anon 1\ninactive_file 2000000\nactive_file 5',
      }),
    ).toEqual({
      limitBytes: GIB,
      usedBytes: 3_000_000,
      group: '/system.slice/wsluice.slice/wsluice@a.service',
    });
  });

  it('is the tightest of all that the group is in, and of memory.high and memory.max', () => {
    expect(
      memoryOf({
        [`${group}/memory.max`]: 'max',
        [`${group}/memory.high`]: String(4 * GIB),
        'sys/fs/cgroup/system.slice/wsluice.slice/memory.max': String(6 * GIB),
        'sys/fs/cgroup/system.slice/wsluice.slice/memory.current': String(3 * GIB),
        'sys/fs/cgroup/system.slice/memory.max': 'max',
      }),
    ).toEqual({ limitBytes: 6 * GIB, usedBytes: 3 * GIB, group: '/system.slice/wsluice.slice' });
  });

  it('is found in a container, which sees its own group as the root', () => {
    expect(memoryOf({ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/memory.max': '536870912' })).toMatchObject({
      limitBytes: GIB / 2,
      group: '/',
    });
    const host = '0::/../../docker/0123456789ab';
    expect(memoryOf({ 'proc/self/cgroup': host, 'sys/fs/cgroup/memory.max': '536870912' })).toMatchObject({
      limitBytes: GIB / 2,
    });
  });

  const version1 = { 'sys/fs/cgroup/cgroup.controllers': null };
  const cgroups = '9:name=systemd:/\n4:memory:/docker/0123\n1:cpu,cpuacct:/docker/0123\n0::/';

  it('of version 1 is that of the controller memory', () => {
    const folder = 'sys/fs/cgroup/memory/docker/0123';
    expect(
      memoryOf({
        ...version1,
        'proc/self/cgroup': cgroups,
        [`${folder}/memory.limit_in_bytes`]: String(GIB),
        [`${folder}/memory.usage_in_bytes`]: '4096000',
        [`${folder}/memory.stat`]: 'inactive_file 1\ntotal_inactive_file 96000',
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      }),
    ).toEqual({ limitBytes: GIB, usedBytes: 4_000_000, group: '/docker/0123' });
  });

  it('of version 1 is found at the root where the path is one of the host', () => {
    expect(
      memoryOf({
        ...version1,
        'proc/self/cgroup': cgroups,
        'sys/fs/cgroup/memory/memory.limit_in_bytes': String(GIB),
      }),
    ).toMatchObject({ limitBytes: GIB, group: '/' });
  });

  it('has no limit where version 1 says a number near 2^63', () => {
    expect(
      memoryOf({
        ...version1,
        'proc/self/cgroup': cgroups,
        'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      }),
    ).toBeUndefined();
  });
});
