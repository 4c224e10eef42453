import type { Browser, Locator } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { comparisonHtml, reportHtml } from '../loadtest/report/report-html.ts';
import { benchRun, brokenRun, compareRun, ladderRun } from '../loadtest/report/runs.fixture.ts';
import { scaleRun } from '../loadtest/report/scale-run.fixture.ts';
import { startChromium } from './support/chromium.ts';
import { eventually } from './support/eventually.ts';
import { drawnPixels, fitted, openReport } from './support/report-page.ts';

/** What a server might say that wants to be more than text. */
const hostile = '</script><img src=x onerror=alert(1)><script>alert(2)</script>';
const longWord = 'ws://'.repeat(40);

const reports = {
  scale: () => reportHtml(scaleRun()),
  ladder: () => reportHtml(ladderRun()),
  comparison: () => reportHtml(compareRun()),
  'micro-benches': () => reportHtml(benchRun()),
  'part with errors': () => reportHtml(brokenRun(`${hostile} ${longWord}`)),
  'two runs': () =>
    comparisonHtml(
      { name: 'before.json', result: scaleRun() },
      { name: `${hostile}.json`, result: scaleRun({ slower: 1.3, rate: 45_000 }) },
    ),
};

describe('a report in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await startChromium();
  });

  it.each(Object.keys(reports) as (keyof typeof reports)[])('draws everything of: %s', async (name) => {
    const report = await openReport(browser, reports[name]());
    const { page } = report;
    const check = async (width: number): Promise<void> => {
      await fitted(report, width);
      await soon(async () => {
        const drawn = await drawnPixels(report);
        if (!/comparison|benches/.test(name)) expect(Object.keys(drawn).length).toBeGreaterThan(4);
        for (const [title, pixels] of Object.entries(drawn)) expect(pixels, title).toBeGreaterThan(50);
      });
      const bars = await page.evaluate<number[]>(
        "[...document.querySelectorAll('.fill')].map((bar) => bar.getBoundingClientRect().width)",
      );
      expect(bars.filter((bar) => bar < 1)).toEqual([]);
    };
    await check(1_440);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 360, height: 800 });
    await check(360);
    expect(report.faults).toEqual([]);
    expect(report.requested).toEqual([]);
    await page.context().close();
  });

  it('shows what is hostile as the text that it is, and marks a part as one', async () => {
    const { page, faults } = await openReport(browser, reports['part with errors']());
    expect(await page.title()).toContain(hostile);
    expect(await page.locator('h1').innerText()).toContain(hostile);
    expect(await page.locator('.bars').innerText()).toContain(hostile);
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.locator('.mark').first().innerText()).toMatch(/Interrupted after 14 s/);
    expect(faults).toEqual([]);
  });

  it('shows two runs in one drawing each, and what differs between them', async () => {
    const { page } = await openReport(browser, reports['two runs']());
    expect(await page.locator('.mark').first().innerText()).toContain('setting rate differs');
    const chart = page.locator('.chart', { hasText: 'Response times by percentile' });
    expect(await chart.locator('.legend button').allInnerTexts()).toEqual([
      expect.stringMatching(/^A/) as string,
      expect.stringMatching(/^B/) as string,
    ]);
    expect(await page.locator('td[data-mood="bad"]').first().innerText()).toMatch(/worse \(\+\d/);
  });

  it('can be read with keys alone, and without seeing the drawing', async () => {
    const { page } = await openReport(browser, reports.scale());
    const chart = page.locator('.chart', { hasText: 'Response times over time' });
    await chart.locator('.drawing').focus();
    await page.keyboard.press('Home');
    await says(chart.locator('.note'), /^at 1 s/);
    await says(chart.getByRole('status'), /^at 1 s.*: p50 0\.\d+ ms, p95 /);
    await page.keyboard.press('ArrowRight');
    await says(chart.locator('.note'), /^at 2 s/);
    expect(await chart.locator('.drawing').getAttribute('aria-label')).toMatch(/p50 from 0\.\d+ ms to/);
    await chart.locator('summary').press('Enter');
    await chart.locator('tbody tr').nth(29).waitFor();
    expect(await chart.locator('tbody tr').count()).toBe(30);
    await chart.getByRole('button', { name: 'max', pressed: true }).press('Space');
    await chart.getByRole('button', { name: 'max', pressed: false }).waitFor();
  });

  it('is pointed at by a finger', async () => {
    const { page } = await openReport(browser, reports.scale(), {
      ...{ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true },
    });
    const chart = page.locator('.chart', { hasText: 'Messages per second' });
    await chart.locator('.u-over').tap();
    await says(chart.locator('.note'), /^at 1\d s/);
  });

  it('draws again when colours are others, on paper too, and when there is another width', async () => {
    const report = await openReport(browser, reports.ladder());
    const { page } = report;
    const drawing = (): Promise<string> =>
      page
        .locator('canvas')
        .first()
        .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
    const light = await drawing();
    await page.emulateMedia({ colorScheme: 'dark' });
    await soon(async () => expect(await drawing()).not.toBe(light));
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    await soon(async () => expect(await drawing()).toBe(light));
    await page.setViewportSize({ width: 700, height: 800 });
    await fitted(report, 700);
  });
});

/** Waits until a part of the page says it. */
async function says(part: Locator, what: RegExp): Promise<void> {
  await soon(async () => expect(await part.textContent()).toMatch(what));
}

/** A browser may have to wait for its turn. */
const soon = (check: () => Promise<void>): Promise<void> => eventually(check, 20_000);
