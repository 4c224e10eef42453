import { closeSync, openSync } from 'node:fs';

/**
 * Whether the terminal that the process was started at is gone; false where it was started without one, or by nohup.
 * To be made at the start.
 */
export function terminalWatch(): () => boolean {
  const { stdin, stdout } = process;
  const wasStartedAtOne = (stdin.isTTY || stdout.isTTY) && hasTerminal();
  return () => wasStartedAtOne && !hasTerminal();
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
