import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { artilleryIsInstalled } from '../../loadtest/artillery/install.ts';

/** A real program that some end-to-end suites run against. */
export type Part = PartOfTests & (DebianPart | NpmPart);

/** One that Debian packages. */
export interface DebianPart {
  readonly debianPackage: string;
}

/** One that `npm ci` brings, in a folder with a lockfile of its own. */
export interface NpmPart {
  /** From the repository root. */
  readonly npmFolder: string;
}

interface PartOfTests {
  readonly name: string;
  /** Globs, from the repository root, of the suites that cannot run without it. */
  readonly suites: readonly string[];
  /** True where the part can be used now. */
  readonly isPresent: () => boolean;
}

/** Every real part the tests use. */
export const parts: readonly Part[] = [
  {
    name: 'nginx',
    debianPackage: 'nginx-light',
    suites: ['test/nginx*.test.ts', 'test/compare.test.ts'],
    isPresent: () => hasPrograms('nginx'),
  },
  {
    name: 'haproxy',
    debianPackage: 'haproxy',
    suites: ['test/compare.test.ts'],
    isPresent: () => hasPrograms('haproxy'),
  },
  {
    name: 'redis-server',
    debianPackage: 'redis-server',
    suites: ['test/redis*.test.ts', 'test/prometheus-alerts.test.ts'],
    isPresent: () => hasPrograms('redis-server'),
  },
  {
    name: 'chromium',
    debianPackage: 'chromium',
    suites: ['test/chromium*.test.ts', 'test/codec-client*.test.ts'],
    isPresent: () => hasPrograms('chromium'),
  },
  {
    name: 'prometheus',
    debianPackage: 'prometheus',
    suites: ['test/prometheus*.test.ts'],
    isPresent: () => hasPrograms('prometheus', 'promtool'),
  },
  {
    name: 'systemd-analyze',
    debianPackage: 'systemd',
    suites: ['test/systemd*.test.ts'],
    isPresent: () => hasPrograms('systemd-analyze'),
  },
  {
    name: 'script',
    debianPackage: 'bsdutils',
    suites: ['test/top*.test.ts'],
    isPresent: () => hasPrograms('script'),
  },
  {
    name: 'zstd',
    debianPackage: 'zstd',
    suites: ['test/train*.test.ts'],
    isPresent: () => hasPrograms('zstd'),
  },
  {
    name: 'python3-websockets',
    debianPackage: 'python3-websockets',
    suites: ['test/python*.test.ts'],
    // Debian's module belongs to Debian's interpreter, whichever python3 comes first in PATH.
    isPresent: () => spawnSync('/usr/bin/python3', ['-c', 'import websockets']).status === 0,
  },
  {
    name: 'artillery',
    npmFolder: 'loadtest',
    suites: ['test/loadtest*.test.ts', 'test/scenarios*.test.ts'],
    isPresent: artilleryIsInstalled,
  },
];

/** PATH with the folders of system programs, which Debian leaves out for ordinary users. */
export function pathWithSystemPrograms(path = process.env['PATH'] ?? ''): string {
  const folders = path.split(delimiter);
  return [...folders, ...['/usr/local/sbin', '/usr/sbin', '/sbin'].filter((x) => !folders.includes(x))].join(
    delimiter,
  );
}

/** True when every program is in PATH or a system folder, and may be run. */
export function hasPrograms(...programs: string[]): boolean {
  const folders = pathWithSystemPrograms().split(delimiter);
  return programs.every((program) => folders.some((folder) => isExecutable(join(folder, program))));
}

/** True when this user may run the file. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
