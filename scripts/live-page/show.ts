import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEchoBackend, startMuxBackend, startRpcBackend } from './backends.ts';
import { startCrowd } from './clients.ts';

/** A gateway with something to see on each chart. */
export interface Show {
  readonly adminUrl: string;
  stop(): Promise<void>;
}

const port = 8_090;
const adminPort = 8_091;
const root = join(import.meta.dirname, '../..');

/** Three pools, three codecs, two limits, and an upstream that is down. Its addresses are 127.0.0.11 and so on, all of this machine. */
export async function startShow(): Promise<Show> {
  const backends = await Promise.all([
    startRpcBackend('127.0.0.11', 1),
    startRpcBackend('127.0.0.12', 1.2),
    startRpcBackend('127.0.0.13', 2.5),
    startEchoBackend('127.0.0.21'),
    startEchoBackend('127.0.0.22'),
    startMuxBackend('127.0.0.31'),
    startMuxBackend('127.0.0.32'),
  ]);
  const [one, two, three, four, five, six, seven] = backends.map(({ url }) => url);
  const gateway = await startGateway({
    listen: { host: '127.0.0.1', port, maxConnections: 2_000 },
    admin: { port: adminPort },
    log: { level: 'error' },
    rateLimits: [
      { scope: 'global', strategy: 'token-bucket', requestsPerSecond: 20_000 },
      { scope: 'connection', strategy: 'token-bucket', requestsPerSecond: 20, burst: 20 },
      { scope: 'method', match: 'orders/*', strategy: 'leaky-bucket', requestsPerSecond: 60, burst: 20 },
    ],
    routes: [
      { path: '/tools', pool: 'tools' },
      { path: '/feeds', pool: 'feeds' },
      { path: '/rooms', pool: 'rooms' },
    ],
    pools: {
      tools: {
        mode: 'request',
        upstreams: [one, two, three, 'ws://127.0.0.14:9001'],
        balance: 'peak-ewma',
        ...{ minConnections: 6, maxConnections: 24 },
      },
      feeds: {
        mode: 'session',
        upstreams: [four, five],
        ...{ minConnections: 8, maxConnections: 120 },
      },
      rooms: { mode: 'mux', upstreams: [six, seven], minConnections: 4, maxConnections: 16 },
    },
  });
  const crowd = { address: (index: number): string => `203.0.113.${index + 7}` };
  const at = (path: string): string => `ws://127.0.0.1:${port}${path}`;
  const crowds = await Promise.all([
    startCrowd({ ...crowd, url: at('/tools'), count: 60, codec: 'zstd', perSecond: 8, message: request }),
    startCrowd({ ...crowd, url: at('/tools'), count: 24, codec: 'brotli', perSecond: 4, message: request }),
    startCrowd({ ...crowd, url: at('/feeds'), count: 44, codec: 'gzip', perSecond: 5, message: quotes }),
    startCrowd({
      url: at('/rooms'),
      count: 70,
      perSecond: 4,
      message: quotes,
      address: (index) => `2001:db8:${(index + 16).toString(16)}::7`,
    }),
  ]);
  const stop = async (): Promise<void> => {
    for (const leave of crowds) leave();
    for (const backend of backends) backend.stop();
    await gateway.stop();
  };
  return { adminUrl: `http://127.0.0.1:${adminPort}`, stop };
}

async function startGateway(config: object): Promise<{ readonly stop: () => Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'wsluice-show-'));
  const file = join(folder, 'wsluice.json');
  writeFileSync(file, JSON.stringify(config));
  const main = ['--disable-warning=ExperimentalWarning', join(root, 'server/main.ts'), '-c', file];
  const child = spawn(process.execPath, main, { stdio: ['ignore', 'inherit', 'inherit'] });
  const exited = once(child, 'exit');
  const isReady = (): Promise<boolean> =>
    fetch(`http://127.0.0.1:${adminPort}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (child.exitCode === null && !(await isReady())) await new Promise((go) => setTimeout(go, 50));
  if (child.exitCode !== null) throw new Error('the gateway did not start');
  return {
    stop: async () => {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

function request(serial: number): string {
  const method = serial % 5 === 0 ? 'orders/list' : 'tools/list';
  const params = { cursor: null, filter: { status: ['open', 'shipped'], since: '2026-01-01' }, page: serial };
  return JSON.stringify({ jsonrpc: '2.0', id: serial, method, params });
}

function quotes(serial: number): string {
  const symbols = ['AAPL', 'MSFT', 'NVDA', 'AMZN', 'GOOG', 'META', 'TSLA', 'NFLX'];
  const quote = (symbol: string, index: number): object => ({
    symbol,
    bid: 100 + ((serial * 7 + index * 13) % 900) / 10,
    ask: 100.1 + ((serial * 7 + index * 13) % 900) / 10,
    size: (serial * 31 + index) % 1_000,
  });
  return JSON.stringify({ type: 'quotes', serial, quotes: symbols.map(quote) });
}
