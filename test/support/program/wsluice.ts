import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** What starts wsluice, as the command of the installed package does: Node and its file. */
export function wsluiceCommand(): [node: string, file: string] {
  return [process.execPath, join(inject('wsluicePackage'), 'dist/server/main.js')];
}

/** The file that the package exports under a name: `wsluice`, `wsluice/client`; undefined when it exports none. */
export function exportedFile(name: string): string | undefined {
  const folder = inject('wsluicePackage');
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  };
  const found = exports[name.replace(/^wsluice/, '.')];
  if (found === undefined) return undefined;
  return join(folder, typeof found === 'string' ? found : found.default);
}
