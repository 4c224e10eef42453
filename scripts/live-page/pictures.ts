/** `npm run pictures`: those of docs/live-page.md, of a gateway with something to see, after five minutes or as many seconds as are given. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { pixelsOf } from './browser-pixels.ts';
import { palettePng } from './palette-png.ts';
import { startShow } from './show.ts';

const seconds = Number(process.argv[2] ?? '310');
/** Of the pictures, which end below the pools. */
const width = 1_360;
const docs = join(import.meta.dirname, '../../docs');
/** What the small drawings beside the upstreams show: it begins when a page is opened. */
const watchMs = Math.min(62, seconds) * 1_000;

const show = await startShow();
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
try {
  await sleep(seconds * 1_000 - watchMs);
  const pages = await Promise.all(
    (['light', 'dark'] as const).map(async (colorScheme) => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      await page.goto(show.adminUrl);
      return { page, path: join(docs, `live-page-${colorScheme}.png`) };
    }),
  );
  await sleep(watchMs);
  for (const { page, path } of pages) {
    const { y, height } = (await page.locator('#pools').boundingBox())!;
    const clip = { x: 0, y: 0, width, height: Math.ceil(y + height + 24) };
    writeFileSync(path, palettePng(await pixelsOf(browser, await page.screenshot({ clip, fullPage: true }))));
  }
} finally {
  await browser.close();
  await show.stop();
}
