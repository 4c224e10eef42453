import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { completeConfig } from '../server/config/load.ts';
import { CHECKOUT } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const unit = readFileSync(join(CHECKOUT, 'sysctl/wsluice@.service'), 'utf8');
const settings = new Map(
  unit.split('\n').flatMap((line) => {
    const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, value ?? ''] as const];
  }),
);

/** The unit as it is where its program is installed. */
const file = join(tempDir(), 'wsluice@.service');
writeFileSync(file, unit.replaceAll('/usr/local/bin/wsluice', process.execPath));

function analyze(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...args, file], { encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

it('is a unit without a fault', () => {
  expect(analyze('verify')).toEqual({ status: 0, said: '' });
});

it('is locked in: an exposure of 2.0 at most, of 10', () => {
  const { status, said } = analyze('security', '--offline=true', '--threshold=20', '--no-pager');
  expect(status, said).toBe(0);
});

it('leaves a drain its time, and sends one signal', () => {
  const { timeoutMs } = completeConfig({}).drain;
  expect(Number(settings.get('TimeoutStopSec')) * 1_000).toBeGreaterThanOrEqual(timeoutMs + 10_000);
  expect(settings.get('KillSignal')).toBe('SIGTERM');
  expect(settings.has('ExecStop')).toBe(false);
});

it('runs all instances as one user, without whom they could not share a port', () => {
  expect(settings.get('User')).toBe('wsluice');
  expect(settings.get('Environment')).toBe('WSLUICE_ADMIN_PORT=%i');
});
