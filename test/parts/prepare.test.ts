import { expect, test } from 'vitest';
import type { Installer } from './apt.ts';
import type { Part } from './parts.ts';
import { prepareParts } from './prepare.ts';

interface Machine {
  readonly has: Set<string>;
  readonly installer: Installer;
}

/** A machine whose apt-get knows the packages of `archive` only. */
function machine({ has, archive }: { has: string[]; archive: string[] }): Machine {
  const present = new Set(has);
  const install: Installer['install'] = (name) => {
    if (archive.includes(name)) present.add(name);
    const output = archive.includes(name) ? 'done\n' : `reading lists\nE: Unable to locate package ${name}\n`;
    return Promise.resolve({ ok: archive.includes(name), output, durationMs: 1200 });
  };
  return { has: present, installer: { install } };
}

function part(name: string, on: Machine): Part {
  return {
    name,
    debianPackage: name,
    suites: ['test/parts/prepare.test.ts'],
    isPresent: () => on.has.has(name),
  };
}

async function prepare(on: Machine, names: string[], installer: Installer | undefined) {
  const lines: string[] = [];
  const parts = names.map((name) => part(name, on));
  const say = (line: string): void => void lines.push(line.trim());
  const missing = await prepareParts({ parts, installer, installNpm: on.installer.install, say });
  return { lines, missing: missing.map(({ name }) => name) };
}

test('installs what is missing, a line for each step, and touches nothing that is there', async () => {
  const debian = machine({ has: ['nginx'], archive: ['redis'] });
  expect(await prepare(debian, ['nginx', 'redis'], debian.installer)).toEqual({
    missing: [],
    lines: ['installing redis …', 'installed redis in 1.2 s', 'present: nginx, redis'],
  });
});

test('says in one line why a part could not be installed and which suites that leaves out', async () => {
  const debian = machine({ has: [], archive: [] });
  const { missing, lines } = await prepare(debian, ['redis'], debian.installer);
  expect(missing).toEqual(['redis']);
  expect(lines.at(-1)).toBe(
    'missing redis (apt-get: E: Unable to locate package redis); leaves out test/parts/prepare.test.ts',
  );
});

test('names the package to install where it may not install itself', async () => {
  const { missing, lines } = await prepare(machine({ has: [], archive: ['redis'] }), ['redis'], undefined);
  expect(missing).toEqual(['redis']);
  expect(lines).toEqual([
    'missing redis (apt-get install redis brings it); leaves out test/parts/prepare.test.ts',
  ]);
});

test('has npm install what has a lockfile of its own', async () => {
  const machineWithNpm = machine({ has: [], archive: ['loadtest'] });
  const lines: string[] = [];
  const { has, installer } = machineWithNpm;
  const artillery: Part = {
    ...{ name: 'artillery', npmFolder: 'loadtest', suites: [] },
    isPresent: () => has.has('loadtest'),
  };
  const missing = await prepareParts({
    ...{ parts: [artillery], installer: undefined, installNpm: installer.install },
    say: (line) => lines.push(line.trim()),
  });
  expect(missing).toEqual([]);
  expect(lines[0]).toBe('installing artillery (npm ci in loadtest) …');
});
