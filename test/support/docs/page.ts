import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A fenced block of a page. */
export interface Fence {
  readonly language: string;
  readonly text: string;
  /** Of its first line in the file. */
  readonly line: number;
  /** Why no test runs it, from a comment before it: `<!-- not run: reason -->`. */
  readonly notRun: string | undefined;
}

/** A page of the documentation. */
export interface Page {
  /** From the repository's root, with slashes. */
  readonly file: string;
  readonly text: string;
  readonly fences: readonly Fence[];
  /** Without the fenced blocks. */
  readonly prose: string;
}

const root = resolve(import.meta.dirname, '../../..');

/** Every page that users and contributors read. */
export function docsPages(): Page[] {
  const files = globSync(
    ['*.md', 'docs/*.md', 'nginx/*.md', 'sysctl/*.md', 'metrics/*.md', 'metrics/*/*.md'],
    {
      cwd: root,
    },
  );
  return files.sort().map(readPage);
}

/** The page at `file`, from the repository's root. */
export function readPage(file: string): Page {
  return parsePage(file, readFileSync(join(root, file), 'utf8'));
}

/** The first fenced block of this language that has `text` in it; throws when there is none. */
export function fenceWith(page: Page, language: string, text: string): Fence {
  const found = page.fences.find((fence) => fence.language === language && fence.text.includes(text));
  if (found === undefined) throw new Error(`${page.file} has no ${language} with ${text}`);
  return found;
}

/** Finds the fenced blocks of a page; throws when one is not closed. */
export function parsePage(file: string, text: string): Page {
  const fences: Fence[] = [];
  const prose: string[] = [];
  const lines = text.split('\n');
  let notRun: string | undefined;
  for (let n = 0; n < lines.length; n++) {
    const line = lines[n]!;
    const [, indent, mark, language] = /^(\s*)(`{3,})(\w*)/.exec(line) ?? [];
    if (mark === undefined) {
      prose.push(line);
      if (line.trim() !== '') notRun = /^<!-- not run: (.+) -->$/.exec(line.trim())?.[1];
      continue;
    }
    const end = lines.findIndex((other, at) => at > n && other.trim() === mark);
    if (end < 0) throw new Error(`${file}:${n + 1}: the block is not closed`);
    const body = lines.slice(n + 1, end).map((other) => other.slice(indent!.length));
    fences.push({ language: language!, text: body.join('\n'), line: n + 2, notRun });
    prose.push(...lines.slice(n, end + 1).map(() => ''));
    notRun = undefined;
    n = end;
  }
  return { file, text, fences, prose: prose.join('\n') };
}
