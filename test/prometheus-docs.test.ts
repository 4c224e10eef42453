import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';
import { docsPages, readPage } from './support/docs/page.ts';
import { startGateway } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const pages = docsPages().filter(({ file }) => file !== 'CHANGELOG.md');

it('the queries of the docs are PromQL', () => {
  const queries = pages.flatMap(({ fences }) =>
    fences.filter(({ language }) => language === 'promql').flatMap(({ text }) => text.trim().split('\n')),
  );
  expect(queries.length).toBeGreaterThan(20);
  const rules = queries.map((expr, n) => ({ record: `docs:query_${n}`, expr }));
  const file = join(tempDir(), 'queries.yml');
  writeFileSync(file, stringify({ groups: [{ name: 'docs', rules }] }));
  expect(execFileSync('promtool', ['check', 'rules', file]).toString()).toContain(`${queries.length} rules`);
});

it('the metrics that the docs name are published, and docs/metrics.md lists them all', async () => {
  // Some are there only where limits are shared; that nothing answers there is no matter.
  const gateway = await startGateway({ config: { redis: { url: 'redis://127.0.0.1:1' } } });
  const { text } = await gateway.metrics();
  const published = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name!);
  // The beginning of a name will do, for grep.
  const isPublished = (name: string): boolean =>
    published.some(
      (one) => `${one}_`.startsWith(`${name}_`) || name.replace(/_(bucket|sum|count)$/, '') === one,
    );
  const unknown = pages.flatMap(({ file, text: page }) =>
    [...page.matchAll(/(?<![\w./-])(?:websocket|wsluice|process|nodejs)_[a-z_]+[a-z](?![\w:.(])/g)]
      .map(([name]) => name)
      .filter((name) => !isPublished(name))
      .map((name) => `${file}: ${name}`),
  );
  expect(unknown).toEqual([]);

  const listed = readPage('docs/metrics.md').text;
  const own = published.filter((name) => /^(websocket|wsluice)_/.test(name));
  expect(own.filter((name) => !listed.includes(`\`${name}\``))).toEqual([]);
});
