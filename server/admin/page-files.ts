import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { extname, join } from 'node:path';

/** A file of the live page as it is sent. */
export interface PageFile {
  readonly contentType: string;
  readonly body: Buffer;
  /** Quoted, as the headers ETag and If-None-Match have it. */
  readonly etag: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.js': 'text/javascript; charset=utf-8',
  '.ts': 'text/javascript; charset=utf-8',
};

/** What the page uses of uPlot, by the path in its package. */
const ofUplot = ['uplot/dist/uPlot.iife.min.js', 'uplot/dist/uPlot.min.css'];

/**
 * The files of the live page by their names, read when they are first asked for. In a checkout the scripts are TypeScript, from which the
 * types are taken on the way; a published package has them compiled.
 */
export class PageFiles {
  readonly #files = new Map<string, PageFile>();
  #paths: ReadonlyMap<string, string> | undefined;

  /** Undefined when the page has no file of this name. `name.js` finds `name.ts` too. */
  find(name: string): PageFile | undefined {
    this.#paths ??= pathsByName();
    const known = [name, name.replace(/\.js$/, '.ts')].find((each) => this.#paths!.has(each));
    if (known === undefined) return undefined;
    let file = this.#files.get(known);
    if (file === undefined) this.#files.set(known, (file = read(this.#paths.get(known)!)));
    return file;
  }
}

function pathsByName(): Map<string, string> {
  const folder = join(import.meta.dirname, 'page');
  const isServed = (name: string): boolean =>
    contentTypes[extname(name)] !== undefined && !/\.(test|fixture)\.ts$/.test(name);
  const paths = new Map(
    readdirSync(folder)
      .filter(isServed)
      .map((name) => [name, join(folder, name)]),
  );
  const { resolve } = nodeModule.createRequire(import.meta.url);
  for (const path of ofUplot) paths.set(path.slice(path.lastIndexOf('/') + 1), resolve(path));
  return paths;
}

function read(path: string): PageFile {
  const extension = extname(path);
  const bytes = readFileSync(path);
  // Node 20 has no such function, and no TypeScript to read: it runs the published package.
  const body = extension === '.ts' ? Buffer.from(nodeModule.stripTypeScriptTypes(String(bytes))) : bytes;
  const etag = `"${createHash('sha256').update(body).digest('base64url')}"`;
  return { contentType: contentTypes[extension]!, body, etag };
}
