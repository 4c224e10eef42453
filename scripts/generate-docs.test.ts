import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describe as rowsOf, schemaTree } from '../server/config/describe.ts';
import { loadConfig, type LoadedConfig } from '../server/config/load.ts';
import { configurationMarkdown, exampleYaml, generatedFiles } from './generate-docs.ts';

const root = join(import.meta.dirname, '..');
const load = (text: string): LoadedConfig =>
  loadConfig({ file: 'w.yaml', env: {}, flags: {}, readFile: () => text });

/** The config file as the project's contract shows it, in the flow style that users copy. */
const contractYaml = `
listen:    { host: 0.0.0.0, port: 8080, maxConnections: 16000, maxConnectionsPerIp: 0, maxMessageBytes: 1048576,
             maxBackpressureBytes: 1048576, allowedOrigins: [], trustedProxies: [127.0.0.1/32], permessageDeflate: off }
admin:     { host: 127.0.0.1, port: 8081, token: null }
heartbeat: { intervalMs: 30000, timeoutMs: 10000 }
codec:     { offer: [zstd, brotli, gzip], minBytes: 1024, maxDecodedBytes: 1048576,
             gzip: { level: 6 }, brotli: { quality: 4 }, zstd: { level: 3, dictionary: null } }
rateLimits:
  - { scope: global,     strategy: token-bucket,   requestsPerSecond: 10000, burst: 20000 }
  - { scope: connection, strategy: sliding-window, requestsPerSecond: 100, windowMs: 1000, onExceed: reject }
  - { scope: method, match: "tools/call", strategy: leaky-bucket, requestsPerSecond: 50, burst: 10, blockMs: 60000 }
routes:    [ { path: /ws, pool: main } ]
pools:
  main:
    mode: request
    upstreams: [ "ws://10.0.0.1:9001", "ws://10.0.0.2:9001" ]
    balance: least-connections
    minConnections: 10
    maxConnections: 1000
    maxInFlightPerConnection: 128
    scaleUpThreshold: 0.7          # share of in-flight capacity in use
    scaleDownThreshold: 0.3
    healthCheckIntervalMs: 10000
    connectTimeoutMs: 5000
    requestTimeoutMs: 30000
    queue:   { maxSize: 1000, timeoutMs: 5000 }
    breaker: { failureThreshold: 5, successThreshold: 3, resetTimeoutMs: 30000 }
    retry:   { maxRetries: 1, idempotentMethods: [] }
    reconnect: { baseDelayMs: 1000, maxDelayMs: 10000, factor: 2, jitter: true }
redis:     { url: null, keyPrefix: "wsluice:", onFailure: local }
log:       { level: info }
`;

it.each(generatedFiles().map(({ path, content }) => [path, content]))('finds %s fresh', (path, content) => {
  expect(readFileSync(join(root, path), 'utf8') === content, `${path} is stale: run \`npm run docs\``).toBe(
    true,
  );
});

it('documents every key', () => {
  const markdown = configurationMarkdown();
  for (const { key } of rowsOf(schemaTree())) expect(markdown).toContain(`| \`${key}\` |`);
});

it('shows an example that loads, and means the same as the one of the contract', () => {
  const { config } = load(exampleYaml);
  expect(load(contractYaml).config).toEqual(config);
  expect(config.pools['main']?.upstreams).toEqual(['ws://10.0.0.1:9001', 'ws://10.0.0.2:9001']);
});

it('has the values of that example as defaults, but for the pool and the limits', () => {
  const { pools, rateLimits, ...rest } = load(exampleYaml).config;
  const { pools: defaultPools, rateLimits: noLimits, ...defaults } = load('').config;
  expect(rest).toEqual(defaults);
  expect([rateLimits.length, noLimits.length]).toEqual([3, 0]);
  const { mode, upstreams, minConnections } = defaultPools['main']!;
  expect({ ...pools['main'], mode, upstreams, minConnections }).toEqual(defaultPools['main']);
});
