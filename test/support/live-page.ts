import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { LiveSample } from '../../server/live/live-sample.ts';
import { readEvents } from '../../server/admin/page/read-events.ts';
import { onTearDown } from './tear-down.ts';

/** The live page in a browser. */
export interface LivePage {
  readonly page: Page;
  /** What the console had to say of errors, and what was thrown. */
  readonly faults: readonly string[];
  /** Each address that was asked for. */
  readonly requested: readonly string[];
  /** The badge and the buttons of a pool. */
  pool(name: string): Locator;
  /** What is under the headings of each chart. */
  figures(): Promise<Record<string, Record<string, string>>>;
  /** What is drawn of a chart. */
  drawing(title: string): Promise<string>;
  /** Presses a button, and the one of these in the question that follows. */
  press(button: string, answer: string): Promise<void>;
}

/** Opens it, at a desktop's size unless told otherwise. */
export async function openLivePage(
  browser: Browser,
  adminUrl: string,
  options: BrowserContextOptions = {},
): Promise<LivePage> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const requested: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('request', (request) => requested.push(request.url()));
  await page.goto(adminUrl);
  const chart = (title: string): Locator =>
    page.locator('.chart', { has: page.getByRole('heading', { name: title }) });
  return {
    page,
    faults,
    requested,
    pool: (name) => page.locator(`[data-pool="${name}"]`),
    figures: () => page.evaluate(readFigures),
    drawing: (title) =>
      chart(title)
        .locator('canvas')
        .evaluate((canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL()),
    press: async (button, answer) => {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('dialog').getByRole('button', { name: answer, exact: true }).click();
    },
  };
}

/** Runs in the page. */
const readFigures = `Object.fromEntries(Array.from(document.querySelectorAll('.chart'), (chart) => [
  chart.querySelector('h3').textContent,
  Object.fromEntries(Array.from(chart.querySelectorAll('dl > div'), (figure) => [
    figure.querySelector('dt').textContent, figure.querySelector('dd').textContent,
  ])),
]))` as unknown as () => Record<string, Record<string, string>>;

/** The samples of `/api/live` from now on, as another viewer gets them. */
export async function followLive(adminUrl: string): Promise<readonly LiveSample[]> {
  const abort = new AbortController();
  onTearDown(() => abort.abort());
  const { body } = await fetch(`${adminUrl}/api/live`, { signal: abort.signal });
  const samples: LiveSample[] = [];
  const follow = async (): Promise<void> => {
    for await (const { event, data } of readEvents(body!)) {
      if (event === 'sample') samples.push(JSON.parse(data) as LiveSample);
    }
  };
  follow().catch(() => undefined);
  return samples;
}
