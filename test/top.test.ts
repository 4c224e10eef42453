import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { openAdmin } from '../server/admin/admin.fixture.ts';
import type { AdminServer } from '../server/admin/admin-server.ts';
import { aPool, anUpstream } from '../server/admin/pool-report.fixture.ts';
import { SampledWorld } from '../server/live/live-sampler.fixture.ts';
import { healthy } from '../server/top/top-state.fixture.ts';
import { startChild, type Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { runWsluice } from './support/gateway.ts';
import { wsluiceCommand } from './support/program/wsluice.ts';
import { onTearDown } from './support/tear-down.ts';

const MAIN = wsluiceCommand().join(' ');
const HOSTILE = 'evil\x1b[2J\x1b]0;owned\x07\u009b31m\u202e';

/** An admin listener whose gateway is a clock in this process; a second of it takes 50 ms. */
async function openGateway({
  port = 0,
  token = null,
}: { port?: number; token?: string | null } = {}): Promise<AdminServer> {
  const upstreams = [anUpstream({ upstream: `ws://10.0.0.1:9001/${HOSTILE}` })];
  const world = new SampledWorld({ pools: () => [aPool({ name: `main ${HOSTILE}`, upstreams })] });
  const timer = setInterval(() => {
    world.metrics.received(70);
    world.pass();
  }, 50);
  onTearDown(() => clearInterval(timer));
  const report = () => ({ ...healthy, status: 'degraded', problems: [HOSTILE] }) as never;
  return openAdmin({ port, token, live: world.sampler, health: { report } });
}

/** `wsluice top` in a pseudo terminal of its own, of this size. */
interface Terminal extends Child {
  type(keys: string): void;
  /** All that the terminal was sent, after what came before `from`. */
  screen(from?: number): string;
}

function openTerminal(
  command: string,
  { columns = 90, rows = 30 } = {},
  env: Readonly<Record<string, string>> = {},
): Terminal {
  const inside = `stty cols ${columns} rows ${rows}; ${command}; echo "code $?"; stty -a`;
  const child = startChild('script', ['-qec', inside, '/dev/null'], {
    openStdin: true,
    ownGroup: true,
    env: { TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env },
  });
  return {
    ...child,
    type: (keys) => void child.process.stdin!.write(keys),
    screen: (from = 0) => child.output().slice(from),
  };
}

const leftCleanly = /\x1b\[\?25h\x1b\[\?1049l.*code 0\r\n[^]* icanon[^]* echo /s;
const patienceMs = 30_000;

describe('wsluice top at a terminal', () => {
  it('fills the screen, second by second, and gives the terminal back as it was', async () => {
    const { port } = await openGateway();
    const terminal = openTerminal(`${MAIN} top --admin http://127.0.0.1:${port}`);
    await eventually(() => expect(terminal.screen()).toContain('q quit'), patienceMs);
    const drawn = terminal.screen().length;
    await eventually(
      () => expect(terminal.screen(drawn)).toMatch(/\x1b\[H.*wsluice[^]*clients[^]*▁/),
      patienceMs,
    );
    expect(terminal.screen()).toMatch(/\x1b\[\?1049h\x1b\[\?25l/);
    expect(terminal.screen(), 'colours').toMatch(/\x1b\[[\d;]+m/);
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen()).toMatch(leftCleanly);
    // What the gateway says cannot steer the terminal: but for what this program itself sends, all is printable.
    const rest = terminal.screen().replaceAll(/\x1b\[(\?1049[hl]|\?25[hl]|2J|H|K|J|[\d;]+m)|[\r\n]/g, '');
    expect(rest).toMatch(/^[\x20-\x7e▁▂▃▄▅▆▇█…]*$/);
    expect(rest).toContain('evil?[2J?]0;owned??31m?');
  });

  it('leaves by Ctrl-C too, and has no colours where none are wanted', async () => {
    const { port } = await openGateway();
    const terminal = openTerminal(
      `${MAIN} top --admin http://127.0.0.1:${port}`,
      { columns: 60 },
      { NO_COLOR: '1' },
    );
    await eventually(() => expect(terminal.screen()).toContain('q quit'), patienceMs);
    expect(terminal.screen()).not.toMatch(/\x1b\[[\d;]+m/);
    terminal.type('\x03');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen()).toMatch(leftCleanly);
  });

  it('gives the terminal back when it is ended by a signal', async () => {
    const { port } = await openGateway();
    const terminal = openTerminal(`sh -c 'echo "pid $$"; exec ${MAIN} top --admin http://127.0.0.1:${port}'`);
    await eventually(() => expect(terminal.screen()).toContain('q quit'), patienceMs);
    process.kill(Number(/pid (\d+)/.exec(terminal.screen())![1]), 'SIGTERM');
    expect(await terminal.exited).toBe(0);
    expect(terminal.screen()).toMatch(leftCleanly);
  });

  it('waits for a gateway that goes away, and shows it again when it is back', async () => {
    const gateway = await openGateway();
    const { port } = gateway;
    const terminal = openTerminal(`${MAIN} top --admin http://127.0.0.1:${port}`);
    await eventually(() => expect(terminal.screen()).toContain('q quit'), patienceMs);
    gateway.close();
    await eventually(
      () => expect(terminal.screen()).toContain('not heard: nothing listens there (ECONNREFUSED)'),
      patienceMs,
    );
    const lost = terminal.screen().length;
    await openGateway({ port });
    await eventually(() => expect(terminal.screen(lost)).toContain('degraded'), patienceMs);
    terminal.type('q');
    expect(await terminal.exited).toBe(0);
  });
});

describe('wsluice top without a terminal', () => {
  const run = async (
    args: readonly string[],
    env = {},
  ): Promise<{ code: number | string; output: string }> => {
    const child = runWsluice(['top', ...args], { LC_ALL: 'C', ...env });
    return { code: await child.exited, output: child.output() };
  };
  let locked: AdminServer;
  let web: Server;

  beforeAll(async () => {
    locked = await openGateway({ token: 'correct-horse-battery' });
    web = createServer((_, response) => response.end('{"hello":"world"}')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTearDown(() => void web.close());
  });

  it('prints once, in plain text, with the token of the environment', async () => {
    const args = ['--admin', `http://127.0.0.1:${locked.port}`];
    const { code, output } = await run(args, { WSLUICE_ADMIN_TOKEN: 'correct-horse-battery' });
    expect(code, output).toBe(0);
    expect(output).toMatch(/^wsluice 1\.2\.3[^]*clients[^]*messages[^]*POOL[^]*main evil[^]*UPSTREAM/);
    expect(output).toMatch(/^[\x20-\x7e\n]*$/);
  });

  it('says in a line why it cannot, and exits with 1', async () => {
    const at = (port: number): string[] => ['--admin', `http://127.0.0.1:${port}`];
    const cases: [args: string[], line: RegExp][] = [
      [at(locked.port), /: it needs the token: --token, or WSLUICE_ADMIN_TOKEN\n$/],
      [at(1), /: nothing listens there \(ECONNREFUSED\)\n$/],
      [at((web.address() as AddressInfo).port), /not the admin listener of wsluice/],
    ];
    const runs = await Promise.all(cases.map(([args]) => run(args)));
    for (const [index, { code, output }] of runs.entries()) {
      expect([code, output.trim().split('\n').length], output).toEqual([1, 1]);
      expect(output).toMatch(cases[index]![1]);
    }
  });
});
