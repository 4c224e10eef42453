import { expect, it } from 'vitest';
import { completeConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { limitsOf, madeUpMachine, silentMachine } from './machine.fixture.ts';
import { withinOpenFiles } from './within-open-files.ts';

interface Outcome {
  readonly clients: number;
  readonly logged: readonly unknown[];
}

function started(
  input: ConfigInput,
  files = madeUpMachine({ 'proc/self/limits': limitsOf('20000') }),
): Outcome {
  const logged: unknown[] = [];
  const log = { warn: (data: unknown) => void logged.push(data) };
  return { clients: withinOpenFiles(completeConfig(input), log, files).listen.maxConnections, logged };
}

it('leaves a configuration that fits as it is, and says nothing', () => {
  expect(started({})).toEqual({ clients: 16_000, logged: [] });
  const capped = { pools: { main: { upstreams: ['ws://10.0.0.1:9001'] } } };
  expect(started(capped), 'of 16,000 clients 1,000 have an upstream').toEqual({
    clients: 16_000,
    logged: [],
  });
});

it('lets fewer in where files are short, and says so once', () => {
  const pools = { main: { upstreams: ['ws://10.0.0.1:9001'], maxConnections: 16_000 } };
  expect(started({ pools })).toEqual({
    clients: 9_500,
    logged: [{ maxConnections: 16_000, openFiles: 20_000, clients: 9_500 }],
  });
});

it('changes nothing where the limit is unknown or there is none', () => {
  expect(started({ listen: { maxConnections: 1_000_000 } }, silentMachine()).clients).toBe(1_000_000);
  const unlimited = madeUpMachine({ 'proc/self/limits': limitsOf('unlimited') });
  expect(started({ listen: { maxConnections: 1_000_000 } }, unlimited).clients).toBe(1_000_000);
});

it('lets one client in at least', () => {
  expect(started({}, madeUpMachine({ 'proc/self/limits': limitsOf('64') })).clients).toBe(1);
});
