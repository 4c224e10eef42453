import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join, relative, resolve } from 'node:path';

const folder = join(import.meta.dirname, 'page');
const importLine = /^import \{([^}]*)\} from '(\.[^']*)';$/gm;
const exportWord = /^export (?=(?:async )?(?:function|class|const) (\w+))/gm;

/**
 * The scripts of a report as one: files opened from a disk cannot import one another. Each module becomes a function that is called once,
 * after those it imports.
 */
export function pageScript(): string {
  const modules = new Map<string, string>();
  addModule(join(folder, 'main.ts'), modules);
  const script = `'use strict';\n${[...modules.values()].join('')}`;
  if (/<\/script/i.test(script)) throw new Error('bug: a script of the report would end its own element');
  return script;
}

function addModule(path: string, modules: Map<string, string>): string {
  const name = `m${relative(folder, path).replace(/[^\w]/g, '_')}`;
  if (modules.has(name)) return name;
  const exported: string[] = [];
  const body = stripTypeScriptTypes(readFileSync(path, 'utf8'))
    .replace(importLine, (_, names: string, from: string) => {
      const module = addModule(resolve(path, '..', from), modules);
      return `const {${names.replace(/ as /g, ': ')}} = ${module};`;
    })
    .replace(exportWord, (_, word: string) => {
      exported.push(word);
      return '';
    })
    .replace(/^\s*\n/gm, '');
  if (/^(import|export)\b/m.test(body)) throw new Error(`bug: ${path} imports or exports in another form`);
  modules.set(name, `const ${name} = (() => {\n${body}return { ${exported.join(', ')} };\n})();\n`);
  return name;
}
