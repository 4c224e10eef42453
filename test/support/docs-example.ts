import { join } from 'node:path';
import { startChild, waitForPort } from './child.ts';
import type { Child } from './child.ts';
import { projectOf } from './docs/programs.ts';
import { readPage } from './docs/page.ts';
import { freePort } from './free-port.ts';

/** A program of a page of docs/, running. */
export interface DocsExample extends Child {
  readonly url: string;
}

/** Runs the program of `page` whose first line is `// <name>`, on a free port in place of 9001. */
export async function startDocsExample(page: string, name: string): Promise<DocsExample> {
  const port = await freePort();
  const project = projectOf(readPage(`docs/${page}`), (text) => text.replaceAll('9001', String(port)));
  const child = startChild(process.execPath, ['--disable-warning=ExperimentalWarning', join(project, name)]);
  await waitForPort(child, port);
  return { ...child, url: `ws://127.0.0.1:${port}` };
}
