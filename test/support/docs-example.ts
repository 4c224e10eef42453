import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChild, waitForPort } from './child.ts';
import type { Child } from './child.ts';
import { freePort } from './free-port.ts';
import { CHECKOUT } from './gateway.ts';
import { tempDir } from './temp-dir.ts';

/** A program of a page of docs/, running. */
export interface DocsExample extends Child {
  readonly url: string;
}

/** What the package exports, as the sources that it is built from. */
const SOURCES: Readonly<Record<string, string>> = {
  'wsluice/mux': join(CHECKOUT, 'pool/mux/adapter/accept-mux.ts'),
};

/** Runs the program of `page` whose first line is `// <name>`, on a free port in place of 9001. */
export async function startDocsExample(page: string, name: string): Promise<DocsExample> {
  const text = readFileSync(join(CHECKOUT, 'docs', page), 'utf8');
  const start = text.indexOf(`\`\`\`js\n// ${name}\n`);
  if (start < 0) throw new Error(`${page} has no ${name}`);
  let source = text.slice(start + 6, text.indexOf('\n```', start));
  for (const [exported, path] of Object.entries(SOURCES))
    source = source.replace(`'${exported}'`, JSON.stringify(path));
  const port = await freePort();
  const project = tempDir();
  symlinkSync(join(CHECKOUT, 'node_modules'), join(project, 'node_modules'));
  writeFileSync(join(project, name), source.replaceAll('9001', String(port)));
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', join(project, name)]);
  await waitForPort(child, port);
  return { ...child, url: `ws://127.0.0.1:${port}` };
}
