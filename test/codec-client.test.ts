import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import type { Page } from 'playwright-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWireServer } from '../codec/client/wire-server.fixture.ts';
import { startPageServer } from './fixtures/codec-client/page-server.ts';
import type { PageServer } from './fixtures/codec-client/page-server.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';

const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const DICTIONARY = join(CHECKOUT, 'test/fixtures/codec-client/json-rpc.dict');
const IMPORT_MAP = /<script type="importmap">.*?<\/script>/s.exec(
  readFileSync(join(CHECKOUT, 'docs/client.md'), 'utf8'),
)![0];

/** Sends messages of every kind and size all at once, and tells whether each came back as it was, in its place. */
const PAGE = `<!doctype html><title>client</title>${IMPORT_MAP}<script type="module">
  import { CodecWebSocket } from 'wsluice/client';

  const text = (length) => Array.from({ length: length / 10 }, (_, n) => String(n * 7919).padStart(9, 'é') + ' ').join('');
  const bytes = (length, step) => Uint8Array.from({ length }, (_, n) => (n * n * step) >> 3).buffer;
  const noise = crypto.getRandomValues(new Uint8Array(60_000)).buffer;
  const messages = ['', 'small', text(100_000), new ArrayBuffer(0), bytes(10, 3), bytes(100_000, 1), noise,
    text(2_000), bytes(2_000, 5), '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}', 'last'];

  const same = (a, b) => typeof a === 'string' || typeof b === 'string'
    ? a === b
    : a.byteLength === b.byteLength && new Uint8Array(a).every((byte, at) => byte === new Uint8Array(b)[at]);

  window.talk = (url, options) => new Promise((resolve) => {
    const seen = { url: '', protocol: '', same: [], errors: 0 };
    const socket = new CodecWebSocket(url, [], options);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => messages.forEach((message) => socket.send(message));
    socket.onmessage = ({ data }) => {
      seen.same.push(same(data, messages[seen.same.length]));
      if (seen.same.length === messages.length) socket.close(3000, 'done');
    };
    socket.onerror = () => seen.errors++;
    socket.onclose = ({ code, wasClean }) => resolve({ ...seen, url: socket.url, code, wasClean });
  });
</script>`;
const MESSAGES = 11;

interface Seen {
  readonly url: string;
  /** For each message that came back, whether it is the one that was sent. */
  readonly same: boolean[];
  readonly errors: number;
  readonly code: number;
  readonly wasClean: boolean;
}

describe('the client, in Chromium', () => {
  let gateway: Gateway;
  let server: PageServer;
  let page: Page;

  beforeAll(async () => {
    server = await startPageServer(PAGE);
    gateway = await startGateway({
      config: {
        listen: { allowedOrigins: [server.origin] },
        codec: { minBytes: 64, zstd: { dictionary: DICTIONARY } },
      },
    });
    const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: CHROMIUM_ARGS });
    onTearDown(() => browser.close());
    page = await browser.newPage();
  });

  /** Lets a fresh page talk; gives what it saw and which WebAssembly it loaded. */
  async function talk(url: string, options: object): Promise<Seen & { readonly wasm: string[] }> {
    server.requests.length = 0;
    await page.goto(server.origin, { waitUntil: 'load' });
    const seen = await page.evaluate<Seen>(`talk(${JSON.stringify(url)}, ${JSON.stringify(options)})`);
    return { ...seen, wasm: server.requests.filter((path) => path.endsWith('.wasm')) };
  }

  async function codecBytes(codec: string, direction: string, stage: string): Promise<number> {
    return (await gateway.metrics()).sum('wsluice_codec_bytes_total', { codec, direction, stage });
  }

  it.each([
    ['zstd', '/node_modules/@bokuweb/zstd-wasm/dist/web/zstd.wasm'],
    ['brotli', '/node_modules/brotli-wasm/pkg.web/brotli_wasm_bg.wasm'],
    ['gzip', undefined],
  ])('gets all its messages back by %s, and loads no other codec', async (codec, wasm) => {
    const seen = await talk(gateway.url, { codec, minBytes: 64 });
    expect(seen).toEqual({
      url: `${gateway.url}?codec=${codec}`,
      protocol: '',
      same: Array.from({ length: MESSAGES }, () => true),
      errors: 0,
      code: expect.any(Number) as number,
      wasClean: true,
      wasm: wasm === undefined ? [] : [wasm],
    });
    for (const direction of ['encode', 'decode']) {
      const plain = await codecBytes(codec, direction, 'plain');
      expect(await codecBytes(codec, direction, 'packed'), direction).toBeLessThan(plain / 2);
    }
  });

  it('gets all its messages back without a codec', async () => {
    const seen = await talk(gateway.url, {});
    expect(seen).toMatchObject({ same: Array.from({ length: MESSAGES }, () => true), wasm: [] });
  });

  it('fetches the dictionary of the gateway once', async () => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await talk(gateway.url, { codec: 'zstd' });
    expect(asked.filter((url) => url.includes('/dictionary/'))).toEqual([
      gateway.url.replace('ws:', 'http:').replace('/ws', '/dictionary/305419896'),
    ]);
  });

  it('ends with 4007 when the server sends garbage', async () => {
    const broken = await startWireServer({ onMessage: (socket) => socket.send(Buffer.from('\x01garbage')) });
    expect(await talk(broken.url, { codec: 'gzip' })).toMatchObject({
      same: [],
      errors: 1,
      code: 4007,
      wasClean: false,
    });
  });

  it('is refused when the gateway does not offer the codec', async () => {
    const plain = await startGateway({ config: { codec: { offer: ['gzip'] } } });
    expect(await talk(plain.url, { codec: 'zstd' })).toMatchObject({ same: [], errors: 1, code: 1006 });
  });
});
