import type { ReadStream, WriteStream } from 'node:tty';
import { AdminLink } from '../top/admin-link.ts';
import { fullScreen } from '../top/full-screen.ts';
import { lookOf } from '../top/look.ts';
import { snapshot } from '../top/snapshot.ts';
import { printable } from '../top/spans.ts';
import { findTarget, type TargetFlags } from '../top/target.ts';
import { faultOfError } from '../top/top-fault.ts';
import { TopState } from '../top/top-state.ts';
import { Watch } from '../top/watch.ts';

export interface TopOptions {
  readonly flags: TargetFlags & { readonly once?: boolean };
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  readonly stderr: { write(text: string): unknown };
}

const widthWithoutTerminal = 100;

/**
 * `wsluice top`: shows what a gateway does, second by second at a terminal, else once. Resolves to the exit code: 1 when it cannot be seen,
 * which a line on stderr explains.
 */
export async function runTop({ flags, env, stdin, stdout, stderr }: TopOptions): Promise<number> {
  const target = findTarget(flags, env);
  if (!('url' in target)) {
    for (const line of target) stderr.write(`${line}\n`);
    return 1;
  }
  const state = new TopState(target.url);
  const watch = new Watch({ link: new AdminLink(target), state, now: () => performance.now() });
  const isTerminal = stdout.isTTY && flags.once !== true && env['TERM'] !== 'dumb';
  const look = lookOf(env, stdout.isTTY);
  try {
    // What is wrong from the beginning is said before the terminal is touched.
    await watch.learn();
    if (isTerminal) {
      await fullScreen({ state, watch, look, output: stdout, input: stdin.isTTY ? stdin : undefined });
    } else {
      // Whoever reads it may have had enough before its end.
      stdout.on('error', () => undefined);
      stdout.write(await snapshot(state, watch, look, stdout.isTTY ? stdout.columns : widthWithoutTerminal));
    }
    return 0;
  } catch (error) {
    stderr.write(`${target.url}: ${printable(faultOfError(error).message)}\n`);
    return 1;
  }
}
