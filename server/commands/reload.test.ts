import { expect, it } from 'vitest';
import { loadConfig, type LoadedConfig } from '../config/load.ts';
import type { RateLimitConfig } from '../config/schema.ts';
import { reload } from './reload.ts';

const limits = (requestsPerSecond: number): string =>
  `rateLimits: [{ scope: ip, strategy: token-bucket, requestsPerSecond: ${requestsPerSecond} }]`;

const loadText = (text: string | undefined, port = '1'): LoadedConfig =>
  loadConfig({
    file: text === undefined ? undefined : 'w.yaml',
    env: {},
    flags: { port },
    readFile: () => text ?? '',
  });

interface Outcome {
  /** The rates that were put in force. */
  readonly applied: readonly number[][];
  readonly logged: unknown[][];
}

function reloaded(load: () => LoadedConfig, applyFault?: Error): Outcome {
  const applied: number[][] = [];
  const logged: unknown[][] = [];
  const level =
    (name: string) =>
    (...args: unknown[]): void =>
      void logged.push([name, ...args]);
  reload({
    running: loadText('').config,
    load,
    apply: (rateLimits: readonly RateLimitConfig[]) => {
      if (applyFault !== undefined) throw applyFault;
      applied.push(rateLimits.map(({ requestsPerSecond }) => requestsPerSecond));
    },
    pools: { urlsOf: () => undefined, setUpstreams: () => ({ added: [], removed: [] }) },
    log: { info: level('info'), warn: level('warn'), error: level('error') },
  });
  return { applied, logged };
}

it('puts the limits of the file in force, and says how many there are', () => {
  expect(reloaded(() => loadText(limits(7)))).toEqual({
    applied: [[7]],
    logged: [['info', { limits: 1, config: 'w.yaml, flags' }, 'rate limits reloaded']],
  });
  expect(reloaded(() => loadText('')).applied).toEqual([[]]);
});

it('names what else has changed, and what is odd, without values', () => {
  const text = `${limits(7)}\nadmin: { token: canary-canary }\nidentity: { header: x-user }\nworkers: 2`;
  const { applied, logged } = reloaded(() => loadText(text, '2'));
  expect(applied).toEqual([[7]]);
  expect(logged).toEqual([
    [
      'warn',
      { notice: 'workers has no effect in this version: there is one' },
      'a note on the configuration',
    ],
    [
      'warn',
      { keys: ['workers', 'listen.port', 'admin.token', 'identity.header'] },
      'other settings have changed too; they need a restart',
    ],
    ['info', { limits: 1, config: 'w.yaml, flags' }, 'rate limits reloaded'],
  ]);
});

it('changes nothing when there are faults, and logs each on a line', () => {
  const { applied, logged } = reloaded(() => loadText(`${limits(0)}\nlisten: { prot: 1 }`));
  const message = 'nothing is reloaded: the configuration has a fault';
  expect(applied).toEqual([]);
  expect(logged).toEqual([
    ['error', { fault: 'listen.prot: unknown key; did you mean listen.port?' }, message],
    [
      'error',
      { fault: 'rateLimits[0].requestsPerSecond: 0 is not a number from 0.000001 to 1000000000' },
      message,
    ],
  ]);
});

it('has nothing to reread without a file', () => {
  const { applied, logged } = reloaded(() => loadText(undefined));
  expect(applied).toEqual([]);
  expect(logged).toEqual([
    ['info', 'no configuration file to reread; flags and environment stay as they are'],
  ]);
});

it('survives what should never happen', () => {
  const bug = new Error('bug: out of luck');
  const failing = (): never => {
    throw bug;
  };
  const err = expect.objectContaining({ message: 'bug: out of luck' }) as unknown;
  expect(reloaded(failing).logged).toEqual([['error', { err }, 'configuration not reread']]);
  expect(reloaded(() => loadText(limits(7)), bug)).toEqual({
    applied: [],
    logged: [['error', { err }, 'not all could be reloaded']],
  });
});
