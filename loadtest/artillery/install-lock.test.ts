import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { takeLock } from './install-lock.ts';

describe('the lock of an installation', () => {
  let dir: string;
  let file: string;
  const waitedFor: number[] = [];
  const options = () => ({ file, onWait: (pid: number) => void waitedFor.push(pid) });

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'wsluice-lock-'));
    file = join(dir, 'lock');
    waitedFor.length = 0;
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('is had by one at a time, and the others are told whom they wait for', async () => {
    const giveBack = await takeLock(options());
    let taken = false;
    const other = takeLock(options()).then((giveOthersBack) => {
      taken = true;
      giveOthersBack();
    });
    await expect.poll(() => waitedFor).toEqual([process.pid]);
    expect(taken).toBe(false);
    giveBack();
    await other;
    expect(waitedFor).toHaveLength(1);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is free again when the process that had it is gone', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    writeFileSync(file, String(pid));
    const giveBack = await takeLock(options());
    expect([existsSync(file), waitedFor]).toEqual([true, []]);
    giveBack();
  });

  it('throws where there can be none', async () => {
    await expect(takeLock({ ...options(), file: join(dir, 'no/such/lock') })).rejects.toThrow('ENOENT');
  });
});
