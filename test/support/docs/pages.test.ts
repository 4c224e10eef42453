import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadExample, unknownKeys } from './config-examples.ts';
import { commandsOf, stepsOf } from './commands.ts';
import { anchorsOf, brokenLinks, sectionOf } from './links.ts';
import { docsPages, parsePage, readPage } from './page.ts';
import { missingLines } from './shape.ts';

interface Alert {
  readonly alert: string;
  readonly annotations: { readonly runbook_url: string };
}

const root = resolve(import.meta.dirname, '../../..');
const pages = docsPages();

describe('the documentation', () => {
  it('has no link that leads nowhere', () => {
    const broken = pages.flatMap((page) => brokenLinks(page).map((link) => `${page.file}: ${link}`));
    expect(broken).toEqual([]);
  });

  it('is linked to from README.md, every page of it', () => {
    const readme = pages.find(({ file }) => file === 'README.md')!;
    const missing = pages.filter(({ file }) => file.startsWith('docs/') && !readme.text.includes(`(${file}`));
    const fromAnother = (file: string): boolean =>
      pages.some(({ text }) => text.includes(`](${file.replace('docs/', '')}`));
    expect(missing.map(({ file }) => file).filter((file) => !fromAnother(file))).toEqual([]);
  });

  it('has a section for each alert, where its runbook points, that names it', () => {
    const rules = readFileSync(join(root, 'metrics/prometheus/alerts.yml'), 'utf8');
    const { groups } = parse(rules) as { groups: { rules: Alert[] }[] };
    const alerts = groups.flatMap((group) => group.rules);
    expect(alerts.length).toBeGreaterThan(15);
    for (const { alert, annotations } of alerts) {
      const [file, anchor] = annotations.runbook_url.split('#');
      const section = sectionOf(readPage(file!), anchor!);
      expect(section, `${annotations.runbook_url} of ${alert}`).toContain(alert);
    }
  });

  it('shows configurations that load', () => {
    let count = 0;
    for (const { file, fences } of pages) {
      for (const fence of fences) {
        if (fence.language !== 'yaml' || fence.notRun !== undefined) continue;
        try {
          if (loadExample(fence) !== undefined) count++;
        } catch (error) {
          throw new Error(`${file}:${fence.line}: ${(error as Error).message}`);
        }
      }
    }
    expect(count).toBeGreaterThan(10);
  });

  it('shows JSON that is JSON', () => {
    for (const { file, fences } of pages)
      for (const { language, text, line } of fences)
        if (language === 'json') expect(() => void JSON.parse(text), `${file}:${line}`).not.toThrow();
  });

  it('names settings that there are', () => {
    const unknown = pages
      .filter(({ file }) => file !== 'CHANGELOG.md')
      .flatMap((page) => unknownKeys(page).map((key) => `${page.file}: ${key}`));
    expect(unknown).toEqual([]);
  });
});

describe('how the documentation is read', () => {
  it('finds blocks, and the reason why one is not run', () => {
    const { fences } = parsePage(
      'a.md',
      'x\n\n<!-- not run: needs root -->\n\n```sh\nsudo x\n```\n\n```yaml\na: 1\n```\n',
    );
    expect(fences).toEqual([
      { language: 'sh', text: 'sudo x', line: 6, notRun: 'needs root' },
      { language: 'yaml', text: 'a: 1', line: 10, notRun: undefined },
    ]);
  });

  it('finds a link to a heading that is not there', () => {
    const page = parsePage(
      'docs/x.md',
      '# One `two` (three)\n\n[a](#one-two-three) [b](#four) [c](errors.md#nope) [d](nope.md)\n',
    );
    expect(anchorsOf(page)).toEqual(new Set(['one-two-three']));
    expect(brokenLinks(page)).toEqual(['#four', 'errors.md#nope', 'nope.md']);
  });

  it('finds a setting that is not there', () => {
    const page = parsePage(
      'x.md',
      '`listen.prot: 1`, `listen.port`, `queue.maxSise`, `pools.<name>.queue.maxSize`, `server.close()`',
    );
    expect(unknownKeys(page)).toEqual(['listen.prot', 'queue.maxSise']);
  });

  it('takes a command over several lines for one, and programs out of the scripts', () => {
    expect(commandsOf("curl -d '{\n}' \\\n  http://x\n# nothing\necho 2 # two\n")).toEqual([
      "curl -d '{\n}' \\\n  http://x",
      'echo 2 # two',
    ]);
    const steps = stepsOf('npm start -- check a.yaml\necho 1\nnpm start # goes on\nnode a.mjs', () => false);
    expect(steps).toEqual([
      { kind: 'script', text: 'npm start -- check a.yaml\necho 1' },
      { kind: 'program', text: 'npm start' },
      { kind: 'program', text: 'node a.mjs' },
    ]);
  });

  it('compares outputs but for figures and spaces', () => {
    expect(missingLines('a 1,000 b\nc', 'a   2 b\nx')).toEqual(['c']);
  });
});
