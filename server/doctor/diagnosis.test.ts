import { describe, expect, it } from 'vitest';
import { completeConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { diagnose, type Diagnosis } from './diagnosis.ts';
import { limitsOf, madeUpMachine, silentMachine, type Told } from './machine.fixture.ts';
import { readMachine } from './machine.ts';

const heapLimitBytes = 4 * 2 ** 30;
const session = (maxConnections: number): ConfigInput => ({
  listen: { maxConnections },
  pools: { main: { upstreams: ['ws://10.0.0.1:9001'], maxConnections } },
});

function on(told: Told, config: ConfigInput = session(16_000)): Diagnosis {
  return diagnose(readMachine(madeUpMachine(told)), completeConfig(config), heapLimitBytes);
}

const changesOf = ({ limits }: Diagnosis): string[] =>
  limits.flatMap(({ changes }) => changes.map(({ line }) => line));

it('fits the default on a server, with nothing to change', () => {
  const diagnosis = on({});
  expect(diagnosis).toMatchObject({ fits: true, advice: [] });
  expect(changesOf(diagnosis)).toEqual([]);
});

describe('names the limit that comes first, and the line that changes it', () => {
  it.each([
    ['nofile', { 'proc/self/limits': limitsOf('20000') }, 9_500, ['ulimit -n 33792', 'LimitNOFILE=33792']],
    ['nr_open', { 'proc/sys/fs/nr_open': '20000' }, 9_500, ['sysctl -w fs.nr_open=33792']],
    [
      'file-max',
      { 'proc/sys/fs/file-max': '20000', 'proc/sys/fs/file-nr': '900 0 20000' },
      9_500,
      ['sysctl -w fs.file-max=33792'],
    ],
    [
      'ports',
      { 'proc/sys/net/ipv4/ip_local_port_range': '50000 60999' },
      11_000,
      ['sysctl -w net.ipv4.ip_local_port_range="10240 65535"'],
    ],
    [
      'tcp_mem',
      { 'proc/sys/net/ipv4/tcp_mem': '8000 10000 16000' },
      8_000,
      ['sysctl -w net.ipv4.tcp_mem="16000 21334 32000"'],
    ],
    [
      'nf_conntrack_max',
      {
        'proc/sys/net/netfilter/nf_conntrack_max': '10000',
        'proc/sys/net/netfilter/nf_conntrack_count': '200',
      },
      4_900,
      ['sysctl -w net.netfilter.nf_conntrack_max=32200'],
    ],
  ])('%s', (name, told, holds, lines) => {
    const diagnosis = on(told);
    expect(diagnosis).toMatchObject({ fits: false, holds, first: { name, clients: holds } });
    expect(changesOf(diagnosis)).toEqual(lines);
  });

  it('memory: of the machine, of its control group, of the heap', () => {
    const small = on({ 'proc/meminfo': 'MemAvailable: 400000 kB' });
    expect(small).toMatchObject({ fits: false, first: { name: 'memory' } });
    const group = on({ 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/memory.max': '268435456' });
    expect(group).toMatchObject({ fits: false, first: { name: 'cgroup-memory' } });
    expect(changesOf(group)).toEqual([expect.stringMatching(/^MemoryMax=\d+M$/)]);
    const config = completeConfig(session(16_000));
    const heap = diagnose(readMachine(madeUpMachine()), config, 100 * 2 ** 20);
    expect(heap).toMatchObject({ fits: false, first: { name: 'heap' } });
    expect(changesOf(heap)).toEqual([expect.stringMatching(/^NODE_OPTIONS=--max-old-space-size=\d+$/)]);
  });
});

it('fits once the lines it gave are followed', () => {
  const told = { 'proc/self/limits': limitsOf('33792'), 'proc/sys/fs/nr_open': '33792' };
  expect(on(told).fits).toBe(true);
  const tcp = { 'proc/sys/net/ipv4/tcp_mem': '16000 21334 32000', 'proc/sys/fs/file-max': '33792' };
  expect(on(tcp).fits).toBe(true);
  const tight = { 'proc/self/cgroup': '0::/', 'sys/fs/cgroup/memory.max': '268435456' };
  const [line = ''] = changesOf(on(tight));
  const bytes = Number(/\d+/.exec(line)![0]) * 2 ** 20;
  expect(on({ ...tight, 'sys/fs/cgroup/memory.max': String(bytes) }).fits).toBe(true);
});

it('asks for more upstream addresses where no range of ports is enough', () => {
  const diagnosis = on({}, session(100_000));
  expect(diagnosis).toMatchObject({ fits: false, holds: 28_232, first: { name: 'ports' } });
  const { changes } = diagnosis.limits.find(({ name }) => name === 'ports')!;
  expect(changes[0]!.where).toContain('2 addresses');
  const upstreams = [1, 2, 3, 4].map((n) => `ws://10.0.0.${n}`);
  const spread = { ...session(100_000), pools: { main: { upstreams, maxConnections: 100_000 } } };
  expect(on({}, spread).fits).toBe(true);
});

it('says nothing of a firewall that tracks nothing', () => {
  const told = {
    'proc/sys/net/netfilter/nf_conntrack_max': '100',
    'proc/sys/net/netfilter/nf_conntrack_count': '0',
  };
  expect(on(told).fits).toBe(true);
});

it('says what makes a queue of new connections shorter than the gateway asks for, without a bound on clients', () => {
  const diagnosis = on({ 'proc/sys/net/core/somaxconn': '128' });
  expect(diagnosis.fits).toBe(true);
  expect(changesOf(diagnosis)).toEqual(['sysctl -w net.core.somaxconn=4096']);
});

it('counts what a gateway that runs has already as room for its clients', () => {
  const told = {
    'proc/meminfo': 'MemAvailable: 100000 kB',
    'proc/9/limits': limitsOf('524288'),
    'proc/9/status': 'VmRSS: 2000000 kB',
    'proc/9/cgroup': '0::/',
    'sys/fs/cgroup/memory.max': '2147483648',
    'sys/fs/cgroup/memory.current': '2100000000',
  };
  const config = completeConfig(session(16_000));
  expect(diagnose(readMachine(madeUpMachine(told), '9'), config, heapLimitBytes).fits).toBe(true);
  expect(diagnose(readMachine(madeUpMachine(told)), config, heapLimitBytes).holds).toBe(0);
});

it('advises where pools serve fewer than are let in, which is no matter of the machine', () => {
  const config: ConfigInput = { pools: { main: { upstreams: ['ws://10.0.0.1:9001'] } } };
  const diagnosis = on({}, config);
  expect(diagnosis.fits).toBe(true);
  expect(diagnosis.advice).toEqual([
    'pool main serves 1,000 of 16,000 clients at a time, the others get 503: pools.main.maxConnections: 16000 serves them all',
  ]);
  const mux: ConfigInput = {
    pools: {
      main: { mode: 'mux', upstreams: ['ws://10.0.0.1'], maxConnections: 2, maxStreamsPerConnection: 100 },
    },
  };
  expect(on({}, mux).advice).toEqual([expect.stringContaining('pools.main.maxConnections: 160')]);
});

it('knows of a machine that tells nothing only the heap, and does not fail', () => {
  const diagnosis = diagnose(readMachine(silentMachine()), completeConfig({}), heapLimitBytes);
  expect(diagnosis).toMatchObject({ fits: true, first: { name: 'heap' } });
  expect(diagnosis.limits.filter(({ shown }) => shown === 'unknown').length).toBe(7);
});
