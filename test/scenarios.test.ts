import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { describe, expect, it } from 'vitest';
import { parseRunResult } from '../loadtest/result/run-result.ts';
import type { RunResult } from '../loadtest/result/run-result.ts';
import { startBackend } from './support/backend.ts';
import { startChild } from './support/child.ts';
import type { Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const longestMs = 600_000;
/** artillery takes seconds of work to start: that of one overlaps with the load of another. */
const lanes = pLimit(2);

interface Ended {
  readonly code: number | string;
  readonly output: string;
  readonly result: RunResult | undefined;
}

function start(...args: string[]): Child {
  const command = ['--disable-warning=ExperimentalWarning', 'loadtest/scenarios/main.ts', ...args];
  return startChild(process.execPath, command, { cwd: CHECKOUT });
}

async function runOf(...args: string[]): Promise<Ended> {
  const file = join(tempDir(), 'run.json');
  const child = start(...args, '--json', file);
  const code = await child.exited;
  const text = child.output().includes(`written: ${file}`) ? readFileSync(file, 'utf8') : undefined;
  return { code, output: child.output(), result: text === undefined ? undefined : parseRunResult(text) };
}

/** Figures of a busy machine are no fault of the gateway. */
const patient = ['--set', 'p99Ms=60000'];

/** More than the kernel keeps for a connection that is not read, in four seconds. */
const flood = ['--set', 'floodRate=100', '--set', 'floodBytes=100000', '--set', 'patience=8'];

/** Every scenario as short as it still shows what it is for. */
const shortForms = {
  ladder: ['--connections', '20', '--seconds', '1', '--rest', '0.1', ...rungs(40, 60, 80, 100, 200)],
  soak: ['--connections', '20', '--rate', '200', '--seconds', '5', '--set', 'growthMb=100'],
  'connect-storm': ['--connections', '300', '--rate', '100', '--seconds', '1'],
  burst: [
    '--connections',
    '10',
    '--set',
    'bursters=5',
    '--rate',
    '500',
    '--set',
    'besideRate=25',
    '--seconds',
    '2',
    ...patient,
  ],
  'slow-readers': ['--connections', '30', '--rate', '100', '--seconds', '4', ...flood, ...patient],
  'upstream-loss': ['--connections', '20', '--rate', '100', '--seconds', '12', ...lossAt(1, 2, 4, 5)],
  'mixed-codecs': ['--connections', '12', '--rate', '40', '--seconds', '2'],
} as const;

function rungs(...rates: number[]): string[] {
  return rates.flatMap((rate, i) => ['--set', `rung${i + 1}=${rate}`]);
}

function lossAt(...seconds: number[]): string[] {
  const names = ['firstDies', 'secondDies', 'firstReturns', 'secondReturns'];
  return [...names.flatMap((name, i) => ['--set', `${name}=${seconds[i]!}`]), '--set', 'within=30'];
}

/** Each is a start of artillery; these show most of what the others do, and `WSLUICE_SCENARIOS=all` runs every one. */
const usual = ['burst', 'upstream-loss'];
const isWanted = ([name]: [string, unknown]): boolean =>
  process.env['WSLUICE_SCENARIOS'] === 'all' || usual.includes(name);

describe.concurrent('npm run scenario', { timeout: longestMs }, () => {
  it.for(Object.entries(shortForms).filter(isWanted))(
    '%s passes in its short form',
    async ([name, args], { expect: see }) => {
      const { code, output, result } = await lanes(() => runOf(name, ...args));
      see(output).not.toContain('FAILED');
      see(output).toMatch(/^ {2}passed /m);
      see(code, output).toBe(0);
      see(result).toMatchObject({ kind: 'scenario', complete: true });
      see(result!.stages.length).toBeGreaterThan(0);
      see(result!.verdicts.every(({ passed }) => passed)).toBe(true);
      see(result!.timeline.some(({ processes }) => (processes['gateway']?.residentBytes ?? 0) > 1e6)).toBe(
        true,
      );
    },
  );

  it('fails when an expectation is not met: a server that forgets one message in ten', async () => {
    let heard = 0;
    const forgetful = await startBackend({
      onConnection: (socket) =>
        socket.on('message', (data) => {
          if (++heard % 10 !== 0) socket.send(data, { binary: false });
        }),
    });
    // The rest of the ladder waits ten seconds for what never comes, rung by rung: a soak has one only.
    const args = ['--connections', '5', '--rate', '50', '--seconds', '1'];
    const { code, output, result } = await lanes(() => runOf('soak', `${forgetful.url}/ws`, ...args));
    expect(output).toMatch(
      /^ {2}FAILED {2}every message is answered, .* 45 of 50; soak: 5 × reply timed out/m,
    );
    expect(output).toMatch(/^ {2}– .*\/metrics .*not judged/m);
    expect(code).toBe(1);
    expect(result!.verdicts).toContainEqual(expect.objectContaining({ passed: false }));
  });

  it('gives what it has when it is interrupted', async () => {
    const file = join(tempDir(), 'run.json');
    await lanes(async () => {
      const child = start('soak', '--connections', '5', '--rate', '50', '--json', file);
      await eventually(() => expect(child.output()).toMatch(/soak · 5 connected · \d+ sent/), 300_000);
      await sleep(1_100);
      child.signal('SIGINT');
      expect(await child.exited).toBe(130);
      expect(child.output()).toMatch(/^ {2}soak +5 +50 /m);
      expect(child.output()).not.toContain('passed  every message');
    });
    expect(parseRunResult(readFileSync(file, 'utf8'))).toMatchObject({ complete: false, verdicts: [] });
  });

  it.for([
    [['no-such-scenario'], /there is no scenario no-such-scenario; there are burst, /],
    [['ladder', 'ws://127.0.0.1:1/ws'], /cannot be used: connection refused/],
    [['burst', 'ws://127.0.0.1:1/ws'], /a gateway is needed whose rate limit is known/],
  ] as const)('does not begin with %j', async ([args, why], { expect: see }) => {
    const child = start(...args);
    see(await child.exited).toBe(2);
    see(child.output()).toMatch(why);
    see(child.output()).not.toMatch(/ {4}at /);
  });

  it('lists what there is', async () => {
    const child = start();
    expect(await child.exited).toBe(0);
    for (const name of Object.keys(shortForms))
      expect(child.output()).toMatch(new RegExp(`^ +${name} +\\w`, 'm'));
  });
});
