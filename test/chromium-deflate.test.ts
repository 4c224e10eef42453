import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { startGateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';

/** Sends each message after the reply to the one before; tells whether all came back, and what was agreed. */
const PAGE = `<!doctype html><title>client</title><script>
  function talk(url, messages) {
    return new Promise((resolve) => {
      const socket = new WebSocket(url);
      let same = 0;
      socket.onopen = () => socket.send(messages[0]);
      socket.onmessage = ({ data }) => {
        if (data === messages[same]) same += 1;
        if (same < messages.length) socket.send(messages[same]);
        else socket.close(1000);
      };
      socket.onclose = ({ code }) => resolve({ code, same, extensions: socket.extensions });
    });
  }
</script>`;

let page: Page;

beforeAll(async () => {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(PAGE);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTearDown(() => {
    server.closeAllConnections();
    server.close();
  });
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
  onTearDown(() => browser.close());
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

it.each([
  ['off', ''],
  ['shared', 'permessage-deflate; client_no_context_takeover; server_no_context_takeover'],
  ['dedicated-4KB', 'permessage-deflate; client_max_window_bits=9; server_max_window_bits=9'],
  ['dedicated-256KB', 'permessage-deflate'],
])('a page in Chromium talks through permessage-deflate: %s', async (mode, extensions) => {
  const gateway = await startGateway({
    config: { listen: { permessageDeflate: mode }, codec: { minBytes: 0 } },
  });
  const letters = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(97 + ((i * i) % 23)));
  const messages = ['hello é', '', letters.join(''), 'x'.repeat(200_000), 'hello é'];
  const seen = await page.evaluate(`talk(${JSON.stringify(gateway.url)}, ${JSON.stringify(messages)})`);
  expect(seen).toEqual({ code: 1000, same: messages.length, extensions });
});
