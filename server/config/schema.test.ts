import { describe, expect, it } from 'vitest';
import { completeConfig } from './load.ts';
import { configSchema, type ConfigInput } from './schema.ts';

const pool = (settings: object): object => ({ pools: { main: settings } });
const limit = (settings: object): object => ({
  rateLimits: [{ scope: 'ip', strategy: 'token-bucket', requestsPerSecond: 5, ...settings }],
});
const accepts = (input: object): boolean => configSchema.safeParse(input).success;

describe('configSchema', () => {
  it('has a default for everything: one route to an embedded echo backend', () => {
    const config = completeConfig({});
    expect(config.listen).toMatchObject({
      host: '0.0.0.0',
      port: 8080,
      tls: null,
      trustedProxies: ['127.0.0.1/32'],
    });
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 8081, token: null });
    expect(config.routes).toEqual([{ path: '/ws', pool: 'main', priority: 'medium' }]);
    expect(config.pools['main']).toMatchObject({ mode: 'session', upstreams: ['echo:'], minConnections: 0 });
    expect(config.rateLimits).toEqual([]);
  });

  it('fills sections that are given in part', () => {
    const { pools, heartbeat } = completeConfig({
      heartbeat: { intervalMs: 0 },
      pools: { main: { queue: { maxSize: 5 } } },
    });
    expect(heartbeat).toEqual({ intervalMs: 0, timeoutMs: 10_000 });
    expect(pools['main']?.queue).toEqual({
      maxSize: 5,
      maxBytes: 16_777_216,
      maxBytesPerClient: 4_194_304,
      timeoutMs: 5_000,
      priority: { high: 3, medium: 2, low: 1 },
    });
  });

  it('takes a class of requests that wait as a weight, or with a bound', () => {
    const { pools } = completeConfig({
      pools: {
        main: { queue: { priority: { high: 9, low: { maxSize: 5 } } }, methodPriority: { get: 'low' } },
      },
    });
    expect(pools['main']?.queue.priority).toEqual({ high: 9, medium: 2, low: { weight: 1, maxSize: 5 } });
    expect(pools['main']?.methodPriority).toEqual({ get: 'low' });
  });

  it('writes the header of identities in lower case', () => {
    expect(completeConfig({ identity: { header: 'X-Api-Key', query: 'apiKey' } }).identity).toEqual({
      header: 'x-api-key',
      query: 'apiKey',
    });
  });

  it('writes allowed origins as browsers send them', () => {
    const input: ConfigInput = { listen: { allowedOrigins: ['HTTPS://App.Example.com:443'] } };
    expect(completeConfig(input).listen.allowedOrigins).toEqual(['https://app.example.com']);
  });

  it.each<[string, object]>([
    ['port 0', { listen: { port: 0 }, admin: { port: 0 } }],
    ['no heartbeat', { heartbeat: { intervalMs: 0 } }],
    ['the longest heartbeat', { heartbeat: { intervalMs: 890_000, timeoutMs: 60_000 } }],
    ['several workers', { workers: 4 }],
    ['a worker for each core', { workers: 'auto' }],
    ['a public admin listener with a token', { admin: { host: '0.0.0.0', token: 'long-enough' } }],
    ['one port on two addresses', { listen: { host: '10.0.0.1' }, admin: { port: 8080 } }],
    ['as many connections at least as at most', pool({ minConnections: 4, maxConnections: 4 })],
    ['a pool without a route', { pools: { main: {}, spare: {} } }],
    ['a limit for each route', limit({ scope: 'route' })],
    ['a limit for one method', limit({ scope: 'method', match: 'tools/call' })],
    ['one Redis', { redis: { url: 'rediss://:secret@cache.example:6380/2' } }],
    ['sentinels', { redis: { url: 'redis+sentinel://a:26379,[::1]/main/3' } }],
    ['a cluster', { redis: { url: 'rediss+cluster://a:7000,b:7001' } }],
    ['no codec', { codec: { offer: [] } }],
    ['a codec towards upstreams', pool({ codec: 'zstd' })],
    ['a larger decoded message than an encoded one', { codec: { maxDecodedBytes: 4_194_304 } }],
    ['the largest dedicated compressor', { listen: { permessageDeflate: 'dedicated-256KB' } }],
  ])('takes %s', (_, input) => expect(configSchema.safeParse(input).error?.issues).toBeUndefined());

  it.each<[string, object]>([
    ['a port above 65535', { listen: { port: 65_536 } }],
    ['a port as text', { listen: { port: '8080' } }],
    ['half a port', { listen: { port: 80.5 } }],
    ['a message cap above 256 MiB', { listen: { maxMessageBytes: 268_435_457 } }],
    ['a back-pressure cap below 1024', { listen: { maxBackpressureBytes: 1_023 } }],
    ['a handshake deadline below 100 ms', { listen: { handshakeTimeoutMs: 99 } }],
    ['an endless timeout', pool({ requestTimeoutMs: Infinity })],
    ['a heartbeat of 1 ms', { heartbeat: { intervalMs: 1 } }],
    ['a heartbeat longer than the engine allows', { heartbeat: { intervalMs: 900_000, timeoutMs: 60_000 } }],
    ['a certificate without its key', { listen: { tls: { cert: 'cert.pem' } } }],
    ['a compressor the engine lacks', { listen: { permessageDeflate: 'dedicated-5KB' } }],
    ['a public admin listener without a token', { admin: { host: '0.0.0.0' } }],
    ['a short token', { admin: { token: 'short' } }],
    ['a token that no header can carry', { admin: { token: 'schlüssel-schlüssel' } }],
    ['one port for both listeners', { listen: { port: 8081 } }],
    ['an upstream beside echo:', pool({ upstreams: ['ws://a', 'echo:'] })],
    ['no upstream', pool({ upstreams: [] })],
    ['more connections at least than at most', pool({ minConnections: 9, maxConnections: 8 })],
    ['a threshold to close above the one to open', pool({ scaleDownThreshold: 0.9 })],
    ['a first delay above the last', pool({ reconnect: { baseDelayMs: 20_000 } })],
    ['a header of one hop', pool({ forwardHeaders: ['transfer-encoding'] })],
    ['a header of the handshake', pool({ forwardHeaders: ['sec-websocket-protocol'] })],
    ['a header in upper case', pool({ forwardHeaders: ['Cookie'] })],
    ['an unknown mode', pool({ mode: 'tcp' })],
    ['a pool in upper case', { pools: { Main: {} }, routes: [] }],
    ['a route to no pool', { routes: [{ path: '/', pool: 'constructor' }] }],
    ['a route with a query', { routes: [{ path: '/ws?a=1', pool: 'main' }] }],
    ['a route without a slash', { routes: [{ path: 'ws', pool: 'main' }] }],
    ['a route with a wildcard', { routes: [{ path: '/*', pool: 'main' }] }],
    ['two routes from one path', { routes: Array<object>(2).fill({ path: '/', pool: 'main' }) }],
    ['no route', { routes: [] }],
    ['an identity in a header with a space', { identity: { header: 'x user' } }],
    ['an identity in a header without a name', { identity: { header: '' } }],
    ['an identity in two parameters', { identity: { query: 'a&b' } }],
    ['fewer keys than 1,000', { rateLimitKeys: { maxPerLimit: 999 } }],
    ['keys in another form', { rateLimitKeys: { show: 'plain' } }],
    ['Redis over HTTP', { redis: { url: 'http://localhost' } }],
    ['sentinels without a master', { redis: { url: 'redis+sentinel://a:26379' } }],
    ['a limit of nothing', limit({ requestsPerSecond: 0 })],
    ['a limit on methods that names none', limit({ scope: 'method' })],
    ['a match where none applies', limit({ match: 'tools/call' })],
    ['an unknown codec', { codec: { offer: ['lzma'] } }],
    ['an unknown codec towards upstreams', pool({ codec: 'deflate' })],
    ['no thread', { codec: { threads: 0 } }],
    ['65 threads', { codec: { threads: 65 } }],
    ['less room to wait than one message takes', { codec: { maxPendingBytes: 1_048_575 } }],
    ['a codec twice', { codec: { offer: ['gzip', 'gzip'] } }],
    ['a section that is empty in YAML', { listen: null }],
  ])('refuses %s', (_, input) => expect(accepts(input)).toBe(false));
});
