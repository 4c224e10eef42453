import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly ok: boolean;
  /** Standard output and error, interleaved; empty when they went to the terminal. */
  readonly output: string;
  readonly durationMs: number;
}

export interface CommandOptions {
  readonly timeoutMs: number;
  /** Passes the output on as it comes instead of collecting it. */
  readonly live?: boolean;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a program to its end with no input. Never rejects: what cannot start or overstays is a result with `ok: false`. */
export function runCommand(
  [program, ...args]: readonly string[],
  { timeoutMs, live = false, env = {} }: CommandOptions,
): Promise<CommandResult> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    const output: string[] = [];
    const finish = (ok: boolean): void => {
      resolve({ ok, output: output.join(''), durationMs: performance.now() - startedMs });
    };
    const child = spawn(program!, args, {
      stdio: live ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
      timeout: timeoutMs,
      env: { ...process.env, ...env },
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => output.push(text));
    }
    child.on('error', (error) => {
      output.push(error.message);
      finish(false);
    });
    child.on('close', (code, signal) => {
      if (signal !== null)
        output.push(`ended by ${signal} after ${seconds(performance.now() - startedMs)}\n`);
      finish(code === 0);
    });
  });
}

/** A duration for people: `8.2 s`. */
export function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
