import { runCommand, type CommandResult } from '../run/command.ts';

const installTimeoutMs = 600_000;

/** Installs what the lockfile of a folder says, and runs none of its scripts. */
export function installNpmFolder(folder: string): Promise<CommandResult> {
  const quiet = ['--no-audit', '--no-fund'];
  return runCommand(['npm', 'ci', '--ignore-scripts', ...quiet, '--prefix', folder], {
    timeoutMs: installTimeoutMs,
  });
}
