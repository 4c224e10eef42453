import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTearDown } from './tear-down.ts';

/** A process started by a test; killed when the test file ends if it still runs then. */
export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The exit code, or the name of the signal that ended it. */
  readonly exited: Promise<number | string>;
  hasExited(): boolean;
  /** All of stdout and stderr so far, in order of arrival. */
  output(): string;
  signal(signal: NodeJS.Signals): void;
  /** Sends `signal` and waits for the end; after `withinMs` it kills the process and throws. */
  stop(signal?: NodeJS.Signals, withinMs?: number): Promise<number | string>;
}

/** How to start a process: what it adds to the environment, and whether it leads a process group of its own. */
export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly ownGroup?: boolean;
  /** Its stdin stays open and empty, as at a terminal where nobody types; otherwise it is at its end. */
  readonly openStdin?: boolean;
}

const running = new Set<(signal: NodeJS.Signals) => void>();
// A run that is cut short tears nothing down, and leaves no process behind all the same.
process.once('exit', () => {
  for (const kill of running) kill('SIGKILL');
});

/** Starts `file` with `args`. */
export function startChild(file: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(file, args, {
    stdio: 'pipe',
    env: { ...cleanEnv(), ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    detached: options.ownGroup === true,
  });
  child.stdin.on('error', () => undefined);
  if (options.openStdin !== true) child.stdin.end();
  let output = '';
  let ended = false;
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<number | string>((resolve) => {
    child.once('error', (fault) => {
      ended = true;
      output += fault.message;
      resolve('not started');
    });
    child.once('close', (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? 'unknown');
    });
  });
  const kill = (signal: NodeJS.Signals): void => {
    if (ended || child.pid === undefined) return;
    if (options.ownGroup === true && signal === 'SIGKILL') process.kill(-child.pid, signal);
    else child.kill(signal);
  };
  running.add(kill);
  void exited.then(() => running.delete(kill));
  onTearDown(async () => {
    kill('SIGKILL');
    await exited;
  });
  return {
    pid: child.pid ?? 0,
    process: child,
    exited,
    hasExited: () => ended,
    output: () => output,
    signal: kill,
    stop: async (signal = 'SIGTERM', withinMs = 10_000) => {
      kill(signal);
      const code = await Promise.race([exited, sleep(withinMs, undefined, { ref: false })]);
      if (code !== undefined) return code;
      kill('SIGKILL');
      throw new Error(`${file} still ran ${withinMs} ms after ${signal}:\n${output}`);
    },
  };
}

/** Waits until `child` accepts TCP connections on `port`; throws with its output when it ends or stays closed for `withinMs`. */
export async function waitForPort(child: Child, port: number, withinMs = 60_000): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await accepts(port))) {
    if (child.hasExited()) throw new Error(`ended before it listened on ${port}:\n${child.output()}`);
    if (performance.now() > deadline) throw new Error(`not listening on ${port}:\n${child.output()}`);
    await sleep(15);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

function cleanEnv(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(WSLUICE_|NODE_OPTIONS$|VITEST|FORCE_COLOR)/.test(name),
  );
  return Object.fromEntries(kept);
}
