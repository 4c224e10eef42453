import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const lookEveryMs = 200;
const mostWaitMs = 900_000;

export interface LockOptions {
  /** Has the number of the process that holds it. */
  readonly file: string;
  /** Another process has it; called once. */
  readonly onWait: (pid: number) => void;
}

/**
 * Resolves, as soon as no other process has the lock, to what gives it back. One that has ended has it no more. Throws when it is held for a
 * quarter of an hour.
 */
export async function takeLock({ file, onWait }: LockOptions): Promise<() => void> {
  const untilMs = performance.now() + mostWaitMs;
  let waited = false;
  while (!claimed(file)) {
    const pid = holderOf(file);
    if (pid === undefined) continue;
    if (!isAlive(pid)) rmSync(file, { force: true });
    else {
      if (!waited) onWait(pid);
      waited = true;
      if (performance.now() > untilMs)
        throw new Error(`process ${pid} has not come to an end; if it does something else, remove ${file}`);
      await sleep(lookEveryMs);
    }
  }
  return () => rmSync(file, { force: true });
}

/** A link is made in one step, its content included. */
function claimed(file: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Undefined when it was given back just now. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
