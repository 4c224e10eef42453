import type { Browser, Locator } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { byteRateText, rateText } from '../server/admin/page/format.ts';
import { startChromium } from './support/chromium.ts';
import { connectClient } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { followLive, openLivePage, type LivePage } from './support/live-page.ts';
import { mainPool, upstreams } from './support/operations-api.ts';
import { onTearDown } from './support/tear-down.ts';

const messageEveryMs = 30;

/** What can be hostile of a configuration: no white space is allowed in an upstream. */
const hostileUpstream = `ws+unix:/run/<img/src=x/onerror=alert(1)>/${'long'.repeat(40)}.sock`;

describe('the live page in Chromium', { timeout: 60_000 }, () => {
  let browser: Browser;
  let gateway: Gateway;
  let backends: JsonRpcBackend[];
  let live: LivePage;

  beforeAll(async () => {
    backends = [await startJsonRpcBackend(), await startJsonRpcBackend()];
    gateway = await startGateway({
      config: {
        rateLimits: [{ scope: 'connection', strategy: 'token-bucket', requestsPerSecond: 20, burst: 20 }],
        routes: [
          { path: '/ws', pool: 'main' },
          { path: '/odd', pool: 'odd' },
        ],
        pools: {
          main: {
            mode: 'request',
            upstreams: backends.map(({ url }) => url),
            ...{
              minConnections: 2,
              maxConnections: 8,
              breaker: { failureThreshold: 1, resetTimeoutMs: 2_000 },
            },
          },
          odd: {
            mode: 'session',
            upstreams: [hostileUpstream],
            minConnections: 1,
            breaker: { failureThreshold: 1 },
          },
        },
      },
    });
    browser = await startChromium();
    await startLoad(gateway);
    live = await openLivePage(browser, gateway.adminUrl);
    await live.page.getByText('live', { exact: true }).waitFor();
  });

  it('shows what the feed says, and moves', async () => {
    const samples = await followLive(gateway.adminUrl);
    const before = await live.drawing('Messages per second');
    await soon(async () => {
      const shown = await live.figures();
      const told = samples.map(({ perSecond, connections, refusedPerSecond }) => ({
        'Messages per second': {
          'from clients': rateText(perSecond.received),
          'to clients': rateText(perSecond.sent),
        },
        'Bytes per second': {
          'from clients': byteRateText(perSecond.bytesReceived),
          'to clients': byteRateText(perSecond.bytesSent),
        },
        Connections: { 'clients open': String(connections.open) },
        'Refused by limits per second': { connection: rateText(refusedPerSecond['connection']!) },
      }));
      expect(samples.at(-1)!.perSecond.received).toBeGreaterThan(10);
      expect(samples.at(-1)!.refusedPerSecond['connection']).toBeGreaterThan(1);
      expect(told).toContainEqual({
        'Messages per second': shown['Messages per second'],
        'Bytes per second': shown['Bytes per second'],
        Connections: shown['Connections'],
        'Refused by limits per second': shown['Refused by limits per second'],
      });
      expect(shown['Latency']!['p99']).toMatch(/^[\d.]+ (µs|ms|s)$/);
      expect(shown['Saved by codecs']!['zstd']).toMatch(/^\d+ %$/);
      expect(shown['Process']!['CPU']).toMatch(/^[\d.]+ %$/);
    });
    await soon(async () => expect(await live.drawing('Messages per second')).not.toBe(before));
  });

  it('shows the pools, their upstreams, and the clients with most messages', async () => {
    await expectText(live.pool('main'), 'running', 'request mode', 'up for ');
    // Where replies take longer there are more than the two that it began with.
    await expectText(live.pool('main'), /\b[2-8] of 8 connections \(\d+ %\)/);
    await expectText(live.pool('odd'), 'no upstream in reach', 'breaker open for ');
    const rows = live.page.locator('#clients tbody tr');
    await soon(async () => expect(await rows.count()).toBe(3));
    await expectText(rows.first(), '127.0.0.1', '/ws', 'pool main');
  });

  it('shows what is hostile as the text that it is', async () => {
    await expectText(live.pool('odd'), hostileUpstream);
    expect(await live.page.locator('main img').count()).toBe(0);
    // However long it is, it leaves room for what is said beside it.
    const standing = live.pool('odd').locator('.standing');
    await expectText(standing, 'ago');
    await soon(async () => expect((await standing.boundingBox())!.width).toBeGreaterThan(100));
  });

  it('does nothing when a question is answered with no, by key or by button', async () => {
    const dialog = live.page.getByRole('dialog');
    await live.page.getByRole('button', { name: 'Pause the pool main' }).focus();
    await live.page.keyboard.press('Enter');
    await dialog.getByText('Pause the pool main?').waitFor();
    expect(await dialog.getByRole('button', { name: 'Cancel' }).evaluate(isFocused)).toBe(true);
    await live.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    await live.press('Pause the pool main', 'Cancel');
    await live.press('Reconnect the pool main', 'Cancel');
    await live.press('Drain…', 'Cancel');
    expect(await mainPool(gateway)).toMatchObject({ paused: false, replacing: 0 });
    expect(live.requested.filter((url) => /pause|reconnect|drain/.test(url))).toEqual([]);
  });

  it('pauses a pool, and resumes it', async () => {
    await live.press('Pause the pool main', 'Pause');
    await live.page.getByText('main is paused, and nothing is in flight.').waitFor();
    expect(await mainPool(gateway)).toMatchObject({ paused: true });
    await expectText(live.pool('main'), 'paused');
    await live.press('Resume the pool main', 'Resume');
    await soon(async () => expect(await mainPool(gateway)).toMatchObject({ paused: false }));
    await expectText(live.pool('main'), 'running');
  });

  it('gives a pool new connections', async () => {
    const dialled = (): number => backends.reduce((total, { upgrades }) => total + upgrades.length, 0);
    const before = dialled();
    await live.press('Reconnect the pool main', 'Reconnect');
    await soon(() => expect(dialled()).toBeGreaterThanOrEqual(before + 2));
  });

  it('shows an upstream that is lost, and its breaker', async () => {
    await backends[1]!.stop();
    await expectText(live.pool('main').locator('li').nth(1), 'breaker open');
    // Now and then it is half-open.
    await soon(async () => expect((await upstreams(gateway))[1]).toMatchObject({ breaker: 'open' }));
    await backends[1]!.start();
    await expectText(live.pool('main').locator('li').nth(1), 'up for ');
  });

  it('is light or dark as the system, and as its reader says', async () => {
    const ground = (): Promise<string> =>
      live.page.evaluate('getComputedStyle(document.body).backgroundColor');
    const light = await ground();
    const before = await live.drawing('Latency');
    await live.page.emulateMedia({ colorScheme: 'dark' });
    await soon(async () => expect(await ground()).not.toBe(light));
    const dark = await ground();
    await soon(async () => expect(await live.drawing('Latency')).not.toBe(before));
    await live.page.getByRole('button', { name: 'Theme: system' }).click();
    await soon(async () => expect(await ground()).toBe(light));
    await live.page.reload();
    await soon(async () => expect(await ground()).toBe(light));
    await live.page.getByRole('button', { name: 'Theme: light' }).click();
    await soon(async () => expect(await ground()).toBe(dark));
  });

  it.each([360, 768, 2_560])('needs no scrolling sideways at a width of %i', async (width) => {
    await live.page.setViewportSize({ width, height: 800 });
    await live.page.locator('#clients tbody tr').first().waitFor();
    await soon(async () =>
      expect(await live.page.evaluate('document.documentElement.scrollWidth')).toBe(width),
    );
    const dialog = live.page.getByRole('dialog');
    await live.page.getByRole('button', { name: 'Drain…' }).click();
    await dialog.waitFor();
    const box = (await dialog.boundingBox())!;
    expect(box.x >= 0 && box.x + box.width <= width).toBe(true);
    await live.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  });

  it('has asked nobody but the gateway, and had no fault', () => {
    expect(live.requested.length).toBeGreaterThan(20);
    expect(live.requested.filter((url) => !url.startsWith(`${gateway.adminUrl}/`))).toEqual([]);
    expect(live.faults).toEqual([]);
  });
});

/** Three clients that send more than their limit allows, on a busy machine too: what was due and not sent is made up for. One of them speaks a codec. */
async function startLoad(gateway: Gateway): Promise<void> {
  const packed = await connectCodecClient(`${gateway.url}?codec=zstd`, { codec: 'zstd' });
  const plain = [await connectClient(gateway.url), await connectClient(gateway.url)];
  const request = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: 'x'.repeat(2_000) });
  const startedMs = performance.now();
  let id = 0;
  const timer = setInterval(() => {
    while (id < (performance.now() - startedMs) / messageEveryMs) {
      const message = request.replace('"id":1', `"id":${++id}`);
      packed.sendPacked(message);
      for (const client of plain) client.send(message);
    }
  }, messageEveryMs);
  onTearDown(() => clearInterval(timer));
}

/** Waits until all of these are in a part of the page. */
async function expectText(part: Locator, ...texts: (string | RegExp)[]): Promise<void> {
  await soon(async () => {
    const shown = await part.innerText();
    for (const text of texts)
      if (typeof text === 'string') expect(shown).toContain(text);
      else expect(shown).toMatch(text);
  });
}

/** A browser may have to wait for its turn. */
const soon = (check: () => Promise<void> | void): Promise<void> => eventually(check, 20_000);

const isFocused = (part: unknown): boolean =>
  part === (globalThis as unknown as { document: { activeElement: unknown } }).document.activeElement;
