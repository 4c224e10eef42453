import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRunResult, type RunResult } from '../loadtest/result/run-result.ts';
import { childPidsOf } from '../loadtest/stand/cpu.ts';
import { startBackend } from './support/backend.ts';
import { startChild, type Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const longestMs = 120_000;

/** `npm run scale` with these options. */
function startScale(line: string, jsonFile?: string): Child {
  const args = ['--disable-warning=ExperimentalWarning', 'loadtest/scale/main.ts', ...line.split(' ')];
  return startChild(process.execPath, [...args, ...(jsonFile ? ['--json', jsonFile] : [])], {
    cwd: CHECKOUT,
    ownGroup: true,
  });
}

async function scale(line: string): Promise<{ code: number | string; output: string }> {
  const child = startScale(line);
  return { code: await child.exited, output: child.output() };
}

function resultIn(file: string): RunResult {
  return parseRunResult(readFileSync(file, 'utf8'));
}

/** What went wrong, but for what a busy machine does to any load: it comes late. */
function failures({ verdicts }: RunResult): string[] {
  const busy = /keep their pace|at least 99 %/;
  return verdicts.filter((one) => !one.passed && !busy.test(one.expectation)).map((one) => one.expectation);
}

it('loads two gateways on one port, and accounts for each message', { timeout: longestMs }, async () => {
  const file = join(tempDir(), 'run.json');
  const run = startScale('--connections 200 --rate 1000 --seconds 2 --warmup 0.5 --gateways 2', file);
  expect([0, 1]).toContain(await run.exited);
  expect(run.output()).toMatch(/messages +2,000 due: 2,000 answered/);
  const result = resultIn(file);
  expect(failures(result)).toEqual([]);
  expect(result).toMatchObject({
    ...{ kind: 'scale', complete: true, errors: {} },
    totals: { connected: 200, disconnected: 0, failed: 0, sent: 2_000, received: 2_000 },
  });
  expect(result.latency?.count).toBe(2_000);
  expect(result.timeline.reduce((sum, { received }) => sum + received, 0)).toBe(2_000);
  const uses = result.timeline.flatMap(({ processes }) => [processes['gateway'], processes['gateway 2']]);
  for (const use of uses) expect(use?.residentBytes).toBeGreaterThan(10e6);
});

it('loads the server at an address, and finds its process', { timeout: longestMs }, async () => {
  const gateway = await startGateway();
  const { output } = await scale(
    `--mode echo --connections 100 --rate 500 --seconds 1 --warmup 0 --bytes 300 ${gateway.url}`,
  );
  expect(output).toMatch(/messages +500 due: 500 answered/);
  expect(output).toMatch(/servers +\d+\.\d\d cores, \d+ MB/);
});

it(
  'tells a partial result when it is interrupted, and leaves nobody behind',
  { timeout: longestMs },
  async () => {
    const file = join(tempDir(), 'run.json');
    const run = startScale('--connections 50 --rate 200 --seconds 60 --warmup 0', file);
    await eventually(() => expect(run.output()).toContain('loading'), 60_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const processes = childPidsOf(run.pid);
    expect(processes.length).toBe(3);
    run.signal('SIGINT');
    expect(await run.exited).toBe(130);
    expect(run.output()).toMatch(/interrupted; what was measured until then/);
    expect(run.output()).toMatch(/latency +p50/);
    for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    const result = resultIn(file);
    expect(result.complete).toBe(false);
    expect(result.latency?.count).toBeGreaterThan(100);
    expect(result.timeline.length).toBeGreaterThan(0);
  },
);

it('finds the ceiling by itself', { timeout: longestMs }, async () => {
  const file = join(tempDir(), 'run.json');
  // A bound that a machine cannot keep at any rate: the search ends all the same, at the lowest.
  const run = startScale(
    '--connections 20 --find-ceiling --p99 0.1 --rate 20 --seconds 0.5 --warmup 0',
    file,
  );
  expect(await run.exited).toBe(1);
  expect(run.output()).toMatch(/no rate down to 10\/s keeps p99 below 0.1 ms/);
  const { stages } = resultIn(file);
  expect(stages.map(({ name, ratePerSecond }) => [name, ratePerSecond])).toEqual([
    ['growth', 20],
    ['growth', 20],
    ...[12.5, 12.5, 10, 10].map((rate) => ['descent', rate]),
  ]);
  expect(stages.every(({ passed }) => passed === false)).toBe(true);
});

it('says what is wrong with a server, and shows no table', { timeout: longestMs }, async () => {
  const port = await freePort();
  const dead = await scale(`--connections 5 ws://127.0.0.1:${port}/ws`);
  expect(dead).toMatchObject({ code: 2 });
  expect(dead.output).toMatch(/nothing listens there .*; start the server, or check the address/);

  const constant = await startBackend({
    onConnection: (socket) => socket.on('message', () => socket.send('pong')),
  });
  const wrong = await scale(`--mode echo --connections 5 ${constant.url}/`);
  expect(wrong).toMatchObject({ code: 2 });
  expect(wrong.output).toMatch(/does not answer with what it should: heard pong/);
  for (const { output } of [dead, wrong]) expect(output).not.toMatch(/latency|p50/);
});

it("fails when a client hears what is another's, or is dropped", { timeout: longestMs }, async () => {
  let clients = 0;
  const backend = await startBackend({
    onConnection(socket) {
      const number = clients++;
      let heard = 0;
      socket.on('message', (data: Buffer) => {
        heard++;
        const text = data.toString();
        if (number === 5 && heard === 3) socket.send(text.replace(/client-\d+/, 'client-0000000'));
        else if (number === 7 && heard === 3) socket.close(1008, 'enough');
        else socket.send(text);
      });
    },
  });
  const { code, output } = await scale(
    `--mode echo --connections 10 --rate 100 --seconds 2 --warmup 0 ${backend.url}/`,
  );
  expect(code).toBe(1);
  expect(output).toMatch(/foreign reply: 1, first: client \d: it heard what is another's/);
  expect(output).toMatch(
    /closed by the server: 1008: 1, first: client \d: closed by the server: 1008 enough/,
  );
  expect(output).toMatch(/FAILED +every reply is that of its own message/);
  expect(output).toMatch(/FAILED +every connection opens, and none is dropped.* 8 open at the end/);
});
