import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startChromium } from './support/chromium.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startSessionBackend } from './support/session-backend.ts';
import { onTearDown } from './support/tear-down.ts';

/** Opens a WebSocket, sends each message after the reply to the one before, and tells all that the page can see. */
const PAGE = `<!doctype html><title>client</title><script>
  function talk(url, messages, protocols = []) {
    return new Promise((resolve) => {
      const seen = { opened: false, protocol: '', received: [] };
      const socket = new WebSocket(url, protocols);
      const sendNext = () => messages.length > 0 && socket.send(messages.shift());
      socket.onopen = () => { seen.opened = true; seen.protocol = socket.protocol; sendNext(); };
      socket.onmessage = ({ data }) => { seen.received.push(data); sendNext(); };
      socket.onclose = ({ code, reason, wasClean }) => resolve({ ...seen, code, reason, wasClean });
    });
  }
</script>`;

/** What `talk` in the page resolves to. */
interface Seen {
  readonly opened: boolean;
  readonly protocol: string;
  readonly received: string[];
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

describe('a page in Chromium', () => {
  let gateway: Gateway;
  let page: Page;
  let pagePort: number;

  beforeAll(async () => {
    const server = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end(PAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTearDown(() => {
      server.closeAllConnections();
      server.close();
    });
    pagePort = (server.address() as AddressInfo).port;
    const backend = await startSessionBackend({ handleProtocols: () => 'second' });
    gateway = await startGateway({
      config: {
        listen: { allowedOrigins: [`http://127.0.0.1:${pagePort}`] },
        pools: { main: { mode: 'session', upstreams: [backend.url] } },
      },
    });
    page = await (await startChromium()).newPage();
  });

  async function talk(origin: string, messages: string[], protocols: string[] = []): Promise<Seen> {
    await page.goto(origin);
    return page.evaluate<Seen>(
      `talk(${[gateway.url, messages, protocols].map((part) => JSON.stringify(part)).join()})`,
    );
  }

  it('gets its messages back, the subprotocol of the upstream and its close code', async () => {
    const large = 'x'.repeat(200_000);
    const messages = ['hello é', '', large, '!close 4002 the end'];
    expect(await talk(`http://127.0.0.1:${pagePort}`, messages, ['first', 'second'])).toEqual({
      opened: true,
      protocol: 'second',
      received: ['hello é', '', large],
      code: 4002,
      reason: 'the end',
      wasClean: true,
    });
  });

  it('is refused when it was served from another origin', async () => {
    const seen = await talk(`http://localhost:${pagePort}`, ['hello']);
    expect(seen).toMatchObject({ opened: false, received: [], code: 1006 });
    expect((await gateway.metrics()).sum('websocket_rejected_total')).toBe(1);
  });

  it('is told 1001 when the gateway drains', async () => {
    await page.goto(`http://127.0.0.1:${pagePort}`);
    const talking = page.evaluate<Seen>(`talk(${JSON.stringify(gateway.url)}, ['hello'])`);
    while ((await gateway.metrics()).sum('websocket_messages_sent_total') < 4) continue;
    expect(await gateway.stop()).toBe(0);
    expect(await talking).toMatchObject({ opened: true, received: ['hello'], code: 1001, wasClean: true });
  });
});
