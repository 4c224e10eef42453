import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pageScript } from './page-script.ts';
import type { ReportPage } from './report-page.ts';

const { resolve } = createRequire(import.meta.url);
const pageOfServer = join(import.meta.dirname, '../../server/admin/page');
const digits = 5;

/** Returns a page as one file that asks nobody for anything, wherever it is opened. */
export function htmlFile(page: ReportPage): string {
  const styles = [
    resolve('uplot/dist/uPlot.min.css'),
    join(pageOfServer, 'colours.css'),
    join(import.meta.dirname, 'page/report.css'),
  ].map((path) => readFileSync(path, 'utf8').trim());
  const scripts = [readFileSync(resolve('uplot/dist/uPlot.iife.min.js'), 'utf8').trim(), pageScript()];
  const icon = readFileSync(join(pageOfServer, 'icon.svg')).toString('base64');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy(styles, scripts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>wsluice: a load test</title>
<link rel="icon" href="data:image/svg+xml;base64,${icon}">
${styles.map((style) => `<style>${style}</style>`).join('\n')}
</head>
<body>
<main id="page"><p class="mark">This report needs JavaScript. What it shows is in the JSON file of the run too.</p></main>
<script type="application/json" id="report">${dataOf(page)}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

/** No script, style, picture or address but those of the file itself, and no HTML out of text (Trusted Types). */
function contentSecurityPolicy(styles: readonly string[], scripts: readonly string[]): string {
  const hashes = (texts: readonly string[]): string =>
    texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
  return [
    "default-src 'none'",
    `script-src ${hashes(scripts)}`,
    `style-src ${hashes(styles)}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

/** JSON that cannot end the element it is in, its fractions no longer than a drawing can show. */
function dataOf(page: ReportPage): string {
  const rounded = (_: string, value: unknown): unknown =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(digits)) : value;
  return JSON.stringify(page, rounded).replaceAll('<', '\\u003c');
}
