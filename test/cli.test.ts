import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { startChild, waitForPort, type Child } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { freePort } from './support/free-port.ts';
import { asGateway, CHECKOUT, configFile, runWsluice, startGateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';
import { tempDir } from './support/temp-dir.ts';

interface Run {
  readonly code: number | string;
  readonly lines: string[];
}

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const child = runWsluice(args, env);
  const code = await Promise.race([child.exited, sleep(20_000, 'still running', { ref: false })]);
  child.signal('SIGKILL');
  return { code, lines: child.output().trim().split('\n') };
}

const GOOD = {
  listen: { port: 8080, allowedOrigins: ['https://app.example.com'] },
  pools: { main: { mode: 'request', upstreams: ['ws://127.0.0.1:9001'], maxConnections: 4 } },
};
const BAD = {
  listen: { port: 'eighty', maxConections: 5 },
  heartbeat: { intervalMs: -1 },
  pools: { main: { mode: 'telepathy', upstreams: ['http://127.0.0.1:9001'] } },
};
/** Each fault of BAD: its key, the value given where there is one, and a word of what is allowed. */
const FAULTS: RegExp[] = [
  /listen\.port.*eighty/,
  /listen.*maxConections/,
  /heartbeat\.intervalMs.*-1/,
  /pools\.main\.mode.*telepathy.*session.*request/,
  /pools\.main\.upstreams.*http:\/\/127\.0\.0\.1:9001.*ws:/,
];

describe('wsluice check', () => {
  it('exits with 0 for a good file', async () => {
    const { code, lines } = await run(['check', configFile(GOOD)]);
    expect(code, lines.join('\n')).toBe(0);
  });

  it('exits with 1 and one line for every fault: key, value, what is allowed', async () => {
    const { code, lines } = await run(['check', configFile(BAD)]);
    expect(code).toBe(1);
    expectFaults(lines);
  });

  it('exits with 1 and one line for a file that is not there', async () => {
    const { code, lines } = await run(['check', join(tempDir(), 'missing.yaml')]);
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('missing.yaml');
  });

  it('exits with 1 and says where a file is not YAML', async () => {
    const path = join(tempDir(), 'broken.yaml');
    writeFileSync(path, 'listen:\n  port: [1\npools: }');
    const { code, lines } = await run(['check', path]);
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/line \d|:\d+:\d+/);
    expect(lines.join('\n')).not.toMatch(/^\s+at /m);
  });

  it('reads JSON too', async () => {
    const path = join(tempDir(), 'wsluice.json');
    writeFileSync(path, JSON.stringify(GOOD));
    expect((await run(['check', path])).code).toBe(0);
  });
});

describe('wsluice serve', () => {
  it('does not start with a faulty file: one line for every fault, exit code 1', async () => {
    const { code, lines } = await run(['--config', configFile(BAD)]);
    expect(code).toBe(1);
    expectFaults(lines);
  });

  it.each([
    [['--port', '99999'], /port.*99999/],
    [['--mode', 'telepathy'], /mode.*telepathy/],
    [['--balance', 'coin'], /balance.*coin/],
    [['--upstream', 'http://127.0.0.1:1'], /http:\/\/127\.0\.0\.1:1/],
    [['--max-connections', 'many'], /many/],
    [['--min-connections', '9', '--max-connections', '3'], /minConnections|min-connections/],
    [['--no-such-option'], /--no-such-option/],
    [['no-such-command'], /no-such-command/],
  ])('does not start with %j', async (args, expected) => {
    const { code, lines } = await run(args);
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(expected);
    expect(lines.join('\n'), 'a stack trace').not.toMatch(/^\s+at /m);
  });

  it.each(['--port', '--admin-port'])('says so and exits with 1 when the %s is taken', async (option) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTearDown(() => void other.close());
    const taken = String((other.address() as AddressInfo).port);
    const free = String(await freePort());
    const ports =
      option === '--port' ? ['--port', taken, '--admin-port', free] : ['--port', free, '--admin-port', taken];
    const { code, lines } = await run(['--host', '127.0.0.1', ...ports]);
    expect(code, lines.join('\n')).toBe(1);
    expect(lines.filter((line) => line.includes(taken) && /in use|taken|EADDRINUSE/.test(line))).toHaveLength(
      1,
    );
    expect(lines.join('\n'), 'a stack trace').not.toMatch(/^\s+at /m);
  });

  it('lists every option with --help', async () => {
    const { code, lines } = await run(['--help']);
    expect(code).toBe(0);
    const options = [
      'config',
      'host',
      'port',
      'path',
      'admin-host',
      'admin-port',
      'upstream',
      'mode',
      'balance',
    ];
    for (const option of [...options, 'min-connections', 'max-connections', 'log-level']) {
      expect(lines.join('\n')).toContain(`--${option}`);
    }
    for (const command of ['check', 'echo'])
      expect(lines.join('\n')).toMatch(new RegExp(`^\\s+${command}\\b`, 'm'));
  });

  it('says its version', async () => {
    const { code, lines } = await run(['--version']);
    expect(code).toBe(0);
    expect(lines.join()).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe('settings', () => {
  const config = {
    listen: { maxConnections: 100 },
    routes: [{ path: '/file', pool: 'main' }],
    pools: { main: { mode: 'session', upstreams: ['echo:'] } },
  };

  it('of the environment go over the file', async () => {
    const gateway = await startGateway({ config, env: { WSLUICE_PATH: '/env', WSLUICE_MODE: 'request' } });
    await expect(connectClient(gateway.at('/file'))).rejects.toThrow('refused with 404');
    const client = await connectClient(gateway.at('/env'));
    expect(await client.call('not JSON'), 'request mode').toMatchObject({ error: { code: -32700 } });
  });

  it('of flags go over the environment', async () => {
    const gateway = await startGateway({
      config,
      env: {
        WSLUICE_PATH: '/env',
        WSLUICE_MODE: 'request',
        WSLUICE_PORT: '1',
        WSLUICE_UPSTREAMS: 'ws://127.0.0.1:1',
      },
      args: ['--path', '/flag', '--mode', 'session', '--upstream', 'echo:'],
    });
    await expect(connectClient(gateway.at('/env'))).rejects.toThrow('refused with 404');
    const client = await connectClient(gateway.at('/flag'));
    client.send('not JSON');
    expect(await client.nextText(), 'session mode').toBe('not JSON');
  });

  it('of the environment are checked like any other', async () => {
    const { code, lines } = await run([], { WSLUICE_PORT: 'eighty' });
    expect(code).toBe(1);
    expect(lines.join('\n')).toMatch(/WSLUICE_PORT|port.*eighty/);
  });
});

describe('wsluice echo', () => {
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    const child = runWsluice(['echo', '--port', String(port)]);
    await waitForPort(child, port);
    url = `ws://127.0.0.1:${port}`;
  });

  it('echoes text and binary', async () => {
    const client = await connectClient(url);
    client.send('hello');
    expect(await client.nextText()).toBe('hello');
    client.send(Buffer.from([0, 1]));
    expect(await client.next()).toEqual({ data: Buffer.from([0, 1]), isBinary: true });
  });

  it('answers JSON-RPC requests with their params, also through a gateway in request mode', async () => {
    const request = { jsonrpc: '2.0', id: 'a', method: 'echo', params: [1] };
    expect(await (await connectClient(url)).call(request)).toEqual({ jsonrpc: '2.0', id: 'a', result: [1] });
    const gateway = await startGateway({ args: ['--mode', 'request', '--upstream', url] });
    expect(await (await connectClient(gateway.url)).call(request)).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      result: [1],
    });
  });
});

/** Everything else here runs the compiled program; this is how a checkout is used, TypeScript as it is. */
describe('npm start', () => {
  const npmStart = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Child =>
    startChild('npm', ['start', '--', ...args], { cwd: CHECKOUT, ownGroup: true, env });

  it('passes arguments and exit codes on', async () => {
    const [good, bad] = [npmStart(['check', configFile(GOOD)]), npmStart(['check', configFile(BAD)])];
    expect(await good.exited, good.output()).toBe(0);
    expect(await bad.exited, bad.output()).toBe(1);
    for (const fault of FAULTS) expect(bad.output()).toMatch(fault);
  });

  it('serves, with the settings of flags over those of the environment, and the live page', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const ports = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
    const npm = npmStart([...ports, '--path', '/flag'], { WSLUICE_PATH: '/env', WSLUICE_MODE: 'request' });
    await waitForPort(npm, port);
    await waitForPort(npm, adminPort);
    const gateway = asGateway(npm, port, adminPort);
    await expect(connectClient(gateway.at('/env'))).rejects.toThrow('refused with 404');
    const client = await connectClient(gateway.at('/flag'));
    expect(await client.call('not JSON'), 'request mode').toMatchObject({ error: { code: -32700 } });
    const script = await fetch(`${gateway.adminUrl}/page/main.js`);
    expect(script.status).toBe(200);
    expect(script.headers.get('content-type')).toContain('text/javascript');
    expect(await npm.stop()).toBe(0);
  });
});

function expectFaults(lines: readonly string[]): void {
  for (const fault of FAULTS) {
    expect(
      lines.filter((line) => fault.test(line)),
      `lines like ${fault.source} in\n${lines.join('\n')}`,
    ).toHaveLength(1);
  }
  expect(lines.length, lines.join('\n')).toBeLessThanOrEqual(FAULTS.length + 1);
}
