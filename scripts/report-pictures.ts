/** `npm run pictures:report -- run.json`: those of docs/load-testing.md, of the report of that run. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { readRun } from '../loadtest/report/read-run.ts';
import { reportHtml } from '../loadtest/report/report-html.ts';
import { pixelsOf } from './live-page/browser-pixels.ts';
import { palettePng } from './live-page/palette-png.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('of which run? npm run pictures:report -- run.json');
const docs = join(import.meta.dirname, '../docs');
const width = 1_200;
const folder = mkdtempSync(join(tmpdir(), 'wsluice-pictures-'));
const html = join(folder, 'report.html');
writeFileSync(html, reportHtml(readRun(file)));

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
    await page.goto(pathToFileURL(html).href);
    const chart = page.locator('.chart', { hasText: 'Response times over time' });
    const { y, height } = (await chart.boundingBox())!;
    const clip = { x: 0, y: 0, width, height: Math.ceil(y + height + 16) };
    const png = palettePng(await pixelsOf(browser, await page.screenshot({ clip, fullPage: true })));
    writeFileSync(join(docs, `report-${colorScheme}.png`), png);
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true });
}
