import { describe, expect, it } from 'vitest';
import { completeConfig } from '../../../server/config/load.ts';
import { diagnose } from '../../../server/doctor/diagnosis.ts';
import { limitsOf, madeUpMachine } from '../../../server/doctor/machine.fixture.ts';
import { readMachine } from '../../../server/doctor/machine.ts';
import { readPage } from './page.ts';
import { sectionOf } from './links.ts';

/** The sizes that docs/operations.md tells to start with. */
interface Size {
  readonly clients: string;
  readonly maxConnections: number;
  readonly sharedFiles: number;
  readonly sessionFiles: number;
  readonly pool: { readonly minConnections: number; readonly maxConnections: number };
  readonly memoryBytes: number;
}

const heapLimitBytes = 2 ** 32;
const sizes = sectionOf(readPage('docs/operations.md'), 'capacity')
  .split('\n')
  .filter((line) => / [MG]B +\|$/.test(line))
  .map(sizeIn);

describe('the sizes to start with', () => {
  it('are for 100 to 100,000 clients', () => {
    expect(sizes.map(({ clients }) => clients)).toEqual(['100', '1,000', '10,000', '100,000, in four']);
  });

  it.each(
    sizes.flatMap((size) => (['request', 'mux', 'session'] as const).map((mode) => ({ mode, ...size }))),
  )(
    'hold $clients clients in $mode mode, as doctor counts',
    ({ mode, maxConnections, sharedFiles, sessionFiles, pool, memoryBytes }) => {
      const isSession = mode === 'session';
      const machine = madeUpMachine({
        'proc/self/limits': limitsOf(String(isSession ? sessionFiles : sharedFiles)),
        'proc/meminfo': `MemAvailable: ${memoryBytes / 1_024} kB`,
        // That of sysctl/99-wsluice.conf.
        'proc/sys/net/ipv4/ip_local_port_range': '10240\t65535',
      });
      const upstreams = ['ws://10.0.0.1:9001'];
      const main = { mode, upstreams, ...pool, ...(isSession ? { maxConnections } : {}) };
      const config = completeConfig({ listen: { maxConnections }, pools: { main } });
      const { fits, first, advice } = diagnose(readMachine(machine), config, heapLimitBytes);
      expect({ fits, advice }, `${first?.key} comes first`).toEqual({ fits: true, advice: [] });
    },
  );
});

function sizeIn(row: string): Size {
  const cells = row.split('|').map((cell) => cell.trim());
  const number = (cell: string | undefined): number => Number.parseInt((cell ?? '').replaceAll(',', ''), 10);
  const memory = cells[7] ?? '';
  return {
    clients: cells[1] ?? '',
    maxConnections: number(cells[2]),
    sharedFiles: number(cells[3]),
    sessionFiles: number(cells[4]),
    pool: { minConnections: number(cells[5]), maxConnections: Number.parseInt(cells[6] ?? '', 10) },
    memoryBytes: number(memory) * (memory.endsWith('GB') ? 2 ** 30 : 2 ** 20),
  };
}
