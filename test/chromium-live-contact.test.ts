import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { LiveSample } from '../server/live/live-sample.ts';
import { waitForPort } from './support/child.ts';
import { startChromium } from './support/chromium.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { runWsluice, startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { followLive, openLivePage, type LivePage } from './support/live-page.ts';
import { mainPool } from './support/operations-api.ts';
import { onTearDown } from './support/tear-down.ts';

const token = 'a-token-for-this-test';

let browser: Browser;

beforeAll(async () => {
  browser = await startChromium();
});

describe('the live page of a gateway with a token', () => {
  let gateway: Gateway;
  let live: LivePage;

  beforeAll(async () => {
    gateway = await startGateway({ args: ['--log-level', 'warn'], env: { WSLUICE_ADMIN_TOKEN: token } });
    live = await openLivePage(browser, gateway.adminUrl);
  });

  it('asks for it, says when it is wrong, keeps it in the tab, and forgets it when told', async () => {
    const { page, faults, requested } = live;
    const field = page.getByLabel('The value of admin.token');
    const open = async (text: string): Promise<void> => {
      await field.fill(text);
      await page.getByRole('button', { name: 'Open' }).click();
    };
    await field.waitFor();
    expect(await page.locator('main').isVisible()).toBe(false);
    await open('no token');
    await page.getByText('A token is 8 or more visible ASCII characters.').waitFor();
    await open('some-other-token');
    await page.getByText('The gateway does not accept this token.').waitFor();
    await open(token);
    await page.getByText('embedded backend').waitFor();
    expect(await field.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Forget token' }).click();
    await field.waitFor();
    await open(token);
    await page.getByText('embedded backend').waitFor();
    await page.reload();
    await page.getByText('embedded backend').waitFor();
    expect(await page.evaluate('JSON.stringify(localStorage) + document.cookie')).not.toContain(token);
    expect(requested.filter((url) => url.includes(token))).toEqual([]);
    expect(faults.filter((fault) => !fault.includes('status of 401'))).toEqual([]);
  });

  it('says what there is nothing of', async () => {
    for (const text of ['No client is connected.', 'No limits configured', 'No codec in use'])
      await live.page.getByText(text).waitFor();
  });

  it('says that the gateway is gone and since when, and comes back by itself', async () => {
    const { page } = live;
    await gateway.stop('SIGKILL');
    const banner = page.getByText(
      /^Lost contact with the gateway, last seen [\d:]{8} \(\d+ s ago\)\. This page comes back by itself\.$/,
    );
    await banner.waitFor();
    await soon(async () => expect(await page.locator('#drain').isDisabled()).toBe(true));
    const ports = ['--port', String(gateway.port), '--admin-port', String(gateway.adminPort)];
    const again = runWsluice(['--host', '127.0.0.1', ...ports], { WSLUICE_ADMIN_TOKEN: token });
    await waitForPort(again, gateway.adminPort);
    await soon(async () => expect(await page.locator('#contact').innerText()).toBe('live'));
    await banner.waitFor({ state: 'hidden' });
  });
});

describe('the live page', () => {
  let gateway: Gateway;
  /** Answers what was asked last. */
  let answer: () => void;

  beforeAll(async () => {
    const backend = await startJsonRpcBackend({
      onConnection: (socket) =>
        socket.on('message', (data: Buffer) => {
          const { id } = JSON.parse(data.toString()) as { id?: unknown };
          answer = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: 'in time' }));
        }),
    });
    gateway = await startGateway({
      config: { pools: { main: { mode: 'request', upstreams: [backend.url] } } },
    });
  });

  it('writes what is hostile in a feed as the text that it is', async () => {
    const hostile = "<img src=x onerror=\"document.title='taken'\"><script>document.title='taken'</script>";
    const { page, faults } = await openLivePage(browser, gateway.adminUrl);
    await page.getByText('running').waitFor();
    const [pool] = ((await (await fetch(`${gateway.adminUrl}/api/pools`)).json()) as { pools: object[] })
      .pools;
    const sample = await firstSample(gateway);
    const upstream = {
      upstream: hostile,
      connections: 1,
      inFlight: 1,
      reachable: true,
      breaker: hostile,
      state: 'up',
      stateAgeMs: 1,
      lastFailure: { kind: 'dial', detail: hostile, agoMs: 1 },
      retryInMs: 0,
    };
    const told = {
      ...sample,
      codecs: { [hostile]: { plainBytes: 10, packedBytes: 1 } },
      refusedPerSecond: { [hostile]: 3 },
      pools: [
        { ...pool, name: hostile, mode: hostile, balance: hostile, embedded: false, upstreams: [upstream] },
      ],
    };
    const client = {
      ...{ id: 1, address: hostile, identity: hostile, route: hostile, pool: hostile, codec: hostile },
      ...{
        messages: { received: 1, sent: 1 },
        bytes: { received: 1, sent: 1 },
        inFlight: 0,
        waiting: 0,
        connectedAt: hostile,
      },
    };
    await page.route('**/api/live', (route) =>
      route.fulfill({
        contentType: 'text/event-stream',
        body: `event: history\ndata: []\n\nevent: sample\ndata: ${JSON.stringify(told)}\n\n`,
      }),
    );
    await page.route('**/api/clients?*', (route) => route.fulfill({ json: { total: 1, clients: [client] } }));
    await page.route('**/api/limits', (route) =>
      route.fulfill({ json: { limits: [{ config: { scope: hostile } }] } }),
    );
    await page.reload();
    await soon(async () => {
      const text = await page.locator('body').innerText();
      expect(text.split(hostile).length).toBeGreaterThan(8);
    });
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.title()).not.toContain('taken');
    expect(faults).toEqual([]);
  });
  it('can be used by no page of another origin, be it by fetch, by form or in a frame', async () => {
    const pause = `${gateway.adminUrl}/api/pools/main/pause`;
    const foreign = createServer((_, response) => {
      response.setHeader('Content-Type', 'text/html').end(`<!doctype html>
        <iframe src="${gateway.adminUrl}/"></iframe><iframe name="there"></iframe>
        <form method="post" action="${pause}" target="there"><input name="timeoutMs" value="1" /></form>`);
    });
    await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
    onTearDown(() => {
      foreign.closeAllConnections();
      foreign.close();
    });
    const page = await browser.newPage();
    await page.goto(`http://localhost:${(foreign.address() as AddressInfo).port}`);
    const seen = await page.evaluate<string[]>(
      `Promise.all(${JSON.stringify([
        [pause, { method: 'POST' }],
        [pause, { method: 'POST', mode: 'no-cors' }],
        [`${gateway.adminUrl}/api/live`, {}],
        [`${gateway.adminUrl}/api/pools`, {}],
      ])}.map(([url, init]) => fetch(url, init).then(({ type }) => type, () => 'refused')))`,
    );
    expect(seen).toEqual(['refused', 'opaque', 'refused', 'refused']);
    const answer = page.waitForResponse(pause);
    await page.evaluate(`document.querySelector('form').submit()`);
    expect((await answer).status()).toBe(403);
    expect(await mainPool(gateway)).toMatchObject({ paused: false });
    const frames = page.frames().filter((frame) => frame !== page.mainFrame());
    for (const frame of frames) expect(await frame.locator('#drain').count()).toBe(0);
  });

  it('drains the gateway after a word was typed, shows it, and that it has stopped', async () => {
    const client = await connectClient(gateway.url);
    const { page } = await openLivePage(browser, gateway.adminUrl);
    await page.getByText('running').waitFor();
    await page.getByRole('button', { name: 'Drain…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 client is sent away with close code 1001').waitFor();
    const go = dialog.getByRole('button', { name: 'Drain and stop' });
    expect(await go.isDisabled()).toBe(true);
    await page.keyboard.type('drai');
    await page.keyboard.press('Enter');
    expect([await go.isDisabled(), await dialog.isVisible()]).toEqual([true, true]);
    client.send({ jsonrpc: '2.0', id: 1, method: 'never' });
    await soon(() => expect(answer).toBeDefined());
    await page.keyboard.type('n');
    await page.keyboard.press('Enter');
    await page.getByText('The gateway is draining: nobody new is let in').waitFor();
    answer();
    expect(await client.nextJson()).toMatchObject({ id: 1 });
    expect((await client.closed).code).toBe(1001);
    expect(await gateway.exited).toBe(0);
    await page.getByText('It was draining, so it has most likely stopped.').waitFor();
  });
});

/** A browser may have to wait for its turn. */
const soon = (check: () => Promise<void> | void): Promise<void> => eventually(check, 20_000);

async function firstSample({ adminUrl }: Gateway): Promise<LiveSample> {
  const samples = await followLive(adminUrl);
  return eventually(() => {
    expect(samples.length).toBeGreaterThan(0);
    return samples[0]!;
  });
}
