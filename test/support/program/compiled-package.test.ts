import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { compiledPackage } from './compiled-package.ts';

/** A checkout with one source, whose compiler copies it. */
function checkout() {
  const root = tempDir();
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  };
  for (const name of ['tsconfig.json', 'tsconfig.build.json', 'tsconfig.page.json', 'package-lock.json'])
    write(name, '{}');
  write('package.json', '{ "type": "module" }');
  write('scripts/compile.ts', '');
  write('server/main.ts', 'one');
  const compile = vi.fn((outDir: string) => {
    mkdirSync(outDir);
    writeFileSync(join(outDir, 'main.js'), readFileSync(join(root, 'server/main.ts')));
  });
  return { root, write, compile };
}

function mainOf(folder: string): string {
  return readFileSync(join(folder, 'dist/main.js'), 'utf8');
}

test('compiles once what stays as it is, and again what was changed, beside what was', () => {
  const { root, write, compile } = checkout();
  const before = compiledPackage({ root, compile });
  expect(compiledPackage({ root, compile })).toBe(before);
  write('server/main.test.ts', 'a test');
  expect(compiledPackage({ root, compile })).toBe(before);
  expect(compile).toHaveBeenCalledTimes(1);
  write('server/main.ts', 'two');
  const after = compiledPackage({ root, compile });
  expect([mainOf(before), mainOf(after)]).toEqual(['one', 'two']);
  write('package.json', '{}');
  expect(compiledPackage({ root, compile })).not.toBe(after);
  expect(readFileSync(join(before, 'package.json'), 'utf8')).toContain('module');
});

test('compiles again where sources were saved meanwhile', () => {
  const { root, write, compile } = checkout();
  compile.mockImplementationOnce((outDir) => {
    mkdirSync(outDir);
    writeFileSync(join(outDir, 'main.js'), 'half of it');
    write('server/main.ts', 'saved');
  });
  expect(mainOf(compiledPackage({ root, compile }))).toBe('saved');
  expect(readdirSync(join(root, 'node_modules/.cache/wsluice'))).toHaveLength(1);
});

test('takes what another run has compiled meanwhile', () => {
  const { root, compile } = checkout();
  let other = '';
  const folder = compiledPackage({
    root,
    compile: (outDir) => {
      compile(outDir);
      other = compiledPackage({ root, compile });
    },
  });
  expect(folder).toBe(other);
  expect(mainOf(folder)).toBe('one');
  expect(readdirSync(dirname(folder))).toHaveLength(1);
});

test('leaves nothing where it does not compile, and removes what was not used for long', () => {
  const { root, write, compile } = checkout();
  const old = compiledPackage({ root, compile });
  utimesSync(old, 1, 1);
  write('server/main.ts', 'wrong');
  const broken = (): never => {
    throw new Error('line 3 is wrong');
  };
  expect(() => compiledPackage({ root, compile: broken })).toThrow('line 3 is wrong');
  expect(readdirSync(dirname(old))).toHaveLength(1);
  write('server/main.ts', 'right');
  const folder = compiledPackage({ root, compile });
  expect(readdirSync(dirname(old))).toEqual([folder.slice(dirname(old).length + 1)]);
});
