import { ConfigError } from '../config/faults.ts';
import { loadConfig, type LoadedConfig } from '../config/load.ts';

/** What a command writes to; `process.stdout` is one. */
export interface TextSink {
  write(text: string): unknown;
}

export interface CheckOptions {
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Variables to lay over the file; without them the file is checked by itself. */
  readonly env?: NodeJS.ProcessEnv;
}

/** `wsluice check`: says what a config file describes and returns 0, or writes each of its faults to stderr and returns 1. */
export function runCheck(file: string, { stdout, stderr, env = {} }: CheckOptions): number {
  try {
    const { config, notices } = loadConfig({ file, env, flags: {} });
    stdout.write(`ok: ${file}: ${summary(config)}\n`);
    for (const notice of notices) stdout.write(`note: ${notice}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) stderr.write(`${line}\n`);
    return 1;
  }
}

function summary({ routes, pools }: LoadedConfig['config']): string {
  const described = Object.entries(pools).map(
    ([name, { mode, upstreams }]) => `${name} (${mode}, ${counted(upstreams.length, 'upstream')})`,
  );
  return `${counted(routes.length, 'route')}; ${described.length === 1 ? 'pool' : 'pools'} ${described.join(', ')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
