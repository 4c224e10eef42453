import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild, type Child } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { CHECKOUT, configFile } from './support/gateway.ts';
import { wsluiceCommand } from './support/program/wsluice.ts';
import { onTearDown } from './support/tear-down.ts';
import { tempDir } from './support/temp-dir.ts';

/** As much of systemctl as the script uses: a process for each instance, whose id is in a file. */
const systemctl = `#!/bin/sh
[ "$1" = --quiet ] && shift
verb=$1 port=\${2#wsluice@}
pid=$(cat "$PIDS/$port" 2>/dev/null || echo 0)
case $verb in
  is-active) [ "$pid" != 0 ] ;;
  start) WSLUICE_ADMIN_PORT=$port wsluice --config "$WSLUICE_CONFIG" >/dev/null 2>&1 & echo $! > "$PIDS/$port" ;;
  stop) kill -TERM "$pid"; while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done; rm "$PIDS/$port" ;;
esac
`;
const wsluice = `#!/bin/sh
exec ${wsluiceCommand()
  .map((part) => `'${part}'`)
  .join(' ')} "$@"
`;

interface Machine {
  readonly url: string;
  readonly config: string;
  /** Ports of the instances that run. */
  readonly running: () => string[];
  readonly run: (file: string, ...args: string[]) => Child;
}

/** Where wsluice and systemctl are installed. */
async function machine(): Promise<Machine> {
  const [bin, pids, port] = [tempDir(), tempDir(), await freePort()];
  writeFileSync(join(bin, 'systemctl'), systemctl, { mode: 0o755 });
  writeFileSync(join(bin, 'wsluice'), wsluice, { mode: 0o755 });
  const config = configFile({
    listen: { host: '127.0.0.1', port },
    drain: { spreadMs: 200, timeoutMs: 2_000 },
  });
  const running = (): string[] => readdirSync(pids);
  onTearDown(() => {
    for (const name of running()) {
      const pid = Number(readFileSync(join(pids, name), 'utf8'));
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  });
  const env = {
    PATH: [bin, process.env['PATH'] ?? ''].join(delimiter),
    PIDS: pids,
    WSLUICE_CONFIG: config,
    WSLUICE_RESTART_WAIT: '1',
  };
  return {
    url: `ws://127.0.0.1:${port}/ws`,
    config,
    running,
    run: (file, ...args) => startChild(file, args, { env }),
  };
}

const script = join(CHECKOUT, 'sysctl/wsluice-restart');

it('takes over from one instance to the other and back, and keeps the old one when the new one does not get ready', async () => {
  const { url, config, running, run } = await machine();
  const [first, second] = [String(await freePort()), String(await freePort())];
  expect(await run('systemctl', 'start', `wsluice@${first}`).exited).toBe(0);

  const client = await eventually(() => connectClient(url), 30_000);
  const restart = run('env', 'WSLUICE_RESTART_WAIT=30', script, first, second);
  let refused = 0;
  while (!restart.hasExited()) {
    await connectClient(url).then(
      (newcomer) => newcomer.socket.terminate(),
      () => refused++,
    );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(await restart.exited, restart.output()).toBe(0);
  expect(restart.output()).toContain(`wsluice@${second} has taken over from wsluice@${first}`);
  expect({ refused, running: running() }).toEqual({ refused: 0, running: [second] });
  expect((await client.closed).code).toBe(1001);

  writeFileSync(config, 'listen: { port: wrong }');
  const failing = run(script, first, second);
  expect(await failing.exited).toBe(1);
  expect(failing.output()).toContain(`wsluice@${first} did not get ready and is stopped again`);
  expect(running()).toEqual([second]);
  (await connectClient(url)).socket.terminate();
}, 120_000);
