import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import { onTearDown } from './tear-down.ts';

/** A report in a browser, opened from a disk. */
export interface OpenReport {
  readonly page: Page;
  /** What the console had to say, and what was thrown. */
  readonly faults: readonly string[];
  /** Each address that was asked for, but for the file itself. */
  readonly requested: readonly string[];
}

/** Opens it, at a desktop's size unless told otherwise. */
export async function openReport(
  browser: Browser,
  html: string,
  options: BrowserContextOptions = {},
): Promise<OpenReport> {
  const folder = mkdtempSync(join(tmpdir(), 'wsluice-report-'));
  onTearDown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'report.html');
  writeFileSync(file, html);
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const requested: string[] = [];
  const { href } = pathToFileURL(file);
  // It is us who read what is drawn.
  page.on('console', (message) => /readback/.test(message.text()) || faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => faults.push(`it asks: ${dialog.message()}`));
  page.on('request', (request) => {
    if (request.url() !== href && !request.url().startsWith('data:')) requested.push(request.url());
  });
  await page.goto(href);
  await page.locator('h2').first().waitFor();
  return { page, faults, requested };
}

/** Waits until nothing is drawn wider than the page is, and nothing makes it wider. */
export async function fitted({ page }: OpenReport, width: number): Promise<void> {
  const widest = "Math.max(0, ...[...document.querySelectorAll('canvas')].map((one) => one.clientWidth))";
  await eventually(async () => {
    expect(await page.evaluate(widest)).toBeLessThan(width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  }, 20_000);
}

/** How many pixels of each drawing are of a colour, by the title of its chart. */
export function drawnPixels({ page }: OpenReport): Promise<Record<string, number>> {
  return page.evaluate(countPixels);
}

/** Runs in the page: once the browser has drawn. */
const countPixels = `new Promise((resolve) => requestAnimationFrame(() => resolve(
  Object.fromEntries(Array.from(document.querySelectorAll('.chart'), (chart) => {
    const canvas = chart.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
      const spread = Math.max(data[i], data[i + 1], data[i + 2]) - Math.min(data[i], data[i + 1], data[i + 2]);
      if (data[i + 3] > 200 && spread > 60) coloured++;
    }
    return [chart.querySelector('h3').textContent, coloured];
  }))
)))` as unknown as () => Promise<Record<string, number>>;
