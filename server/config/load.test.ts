import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selfSignedCertificate } from '../../test/support/certificate.ts';
import { ConfigError, type Fault } from './faults.ts';
import type { FlagValues } from './flags.ts';
import { completeConfig, completeRateLimits, loadConfig, type LoadedConfig } from './load.ts';
import { profileNames } from './profiles.ts';

interface Sources {
  readonly file?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly flags?: FlagValues;
}

function load({ file, env = {}, flags = {} }: Sources): LoadedConfig {
  const readFile = (path: string): string => {
    if (path === 'w.yaml' && file !== undefined) return file;
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  };
  return loadConfig({ file: file === undefined ? undefined : 'w.yaml', env, flags, readFile });
}

function faultsOf(sources: Sources): readonly Fault[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const linesOf = (sources: Sources): string[] => faultsOf(sources).map(({ line }) => line);

describe('the order of the sources', () => {
  const env = { WSLUICE_PORT: '2', WSLUICE_MODE: 'request' };
  const file = 'listen: { port: 1, host: 127.0.0.1 }\npools: { main: { mode: session, maxConnections: 7 } }';

  it('is defaults, file, environment, flags', () => {
    expect(load({}).config.listen.port).toBe(8080);
    expect(load({ file }).config.listen.port).toBe(1);
    expect(load({ file, env }).config.listen.port).toBe(2);
    const { config, source } = load({ file, env, flags: { port: '3' } });
    expect(config.listen).toMatchObject({ port: 3, host: '127.0.0.1' });
    expect(config.pools['main']).toMatchObject({ mode: 'request', maxConnections: 7 });
    expect(source).toBe('w.yaml, environment, flags');
    expect(load({}).source).toBe('defaults');
  });

  it('takes the file from --config, then from WSLUICE_CONFIG', () => {
    const readFile = (path: string): string => `redis: { keyPrefix: ${path} }`;
    const prefix = (flags: FlagValues, variables: NodeJS.ProcessEnv): string =>
      loadConfig({ env: variables, flags, readFile }).config.redis.keyPrefix;
    expect(prefix({ config: 'flag' }, { WSLUICE_CONFIG: 'variable' })).toBe('flag');
    expect(prefix({}, { WSLUICE_CONFIG: 'variable' })).toBe('variable');
  });

  it('has a profile just above the defaults, for every pool of the file', () => {
    const { config } = load({
      file: 'profile: availability\nroutes: [{ path: /, pool: api }]\npools: { api: { minConnections: 3 } }',
    });
    expect(config.pools).toMatchObject({ api: { minConnections: 3, maxConnections: 500 } });
    expect(config.pools['main']).toBeUndefined();
    expect(load({ flags: { profile: 'availability' } }).config.pools['main']?.minConnections).toBe(20);
  });

  it.each(profileNames)('has a profile %s that keeps all rules', (profile) =>
    expect(completeConfig({ profile }).profile).toBe(profile),
  );
});

describe('the flags of the pool main', () => {
  const elsewhere = 'routes: [{ path: /api, pool: api }]\npools: { api: { upstreams: [ws://a] } }';

  it('keep what the file says of other pools', () => {
    const { config } = load({ file: elsewhere, flags: { upstream: ['ws://b'], path: '/ws' } });
    expect(config.routes).toEqual([{ path: '/ws', pool: 'main', priority: 'medium' }]);
    expect(Object.keys(config.pools)).toEqual(['api', 'main']);
    expect(config.pools['main']?.upstreams).toEqual(['ws://b']);
  });

  it('come with a notice when no route leads there', () => {
    expect(load({ file: elsewhere, flags: { upstream: ['ws://b'] } }).notices).toEqual([
      expect.stringContaining('no route leads'),
    ]);
  });

  it('need no lower minimum when they lower the maximum', () => {
    expect(load({ flags: { maxConnections: '2' } }).config.pools['main']).toMatchObject({
      minConnections: 0,
      maxConnections: 2,
    });
  });
});

describe('--codec', () => {
  it('is what clients are offered, in its order', () => {
    expect(load({ flags: { codec: 'gzip, identity' } }).config.codec.offer).toEqual(['gzip', 'identity']);
    expect(load({ env: { WSLUICE_CODEC: 'brotli' } }).config.codec.offer).toEqual(['brotli']);
    expect(load({}).config.codec.offer).toEqual(['zstd', 'brotli', 'gzip']);
  });

  it('may be nothing', () => {
    expect(load({ flags: { codec: '' } }).config.codec.offer).toEqual([]);
    expect(load({ file: 'codec: { offer: [] }' }).config.codec.offer).toEqual([]);
  });

  it('says which ones there are', () => {
    expect(linesOf({ flags: { codec: 'zstd,lzma' } })).toEqual([
      '--codec lzma: not zstd, brotli, gzip or identity',
    ]);
    expect(linesOf({ flags: { codec: 'zstd,zstd' } })).toEqual(['--codec zstd: listed twice']);
  });
});

describe('faults', () => {
  it('are reported together, for all sources, in the words of each', () => {
    const lines = linesOf({
      file: 'listen: { prot: 1, port: "80" }\nmaxConnections: 5\npools: { main: { minConnections: 10 } }',
      env: { WSLUICE_PORT: 'x', WSLUICE_UPSTREAMS: 'ws://a,http://b' },
      flags: { port: 'abc', maxConnections: '8', rateLimit: ['foo', 'foo:1/s'], path: 'ws', mode: 'tcp' },
    });
    expect(lines.toSorted()).toEqual(
      [
        'listen.prot: unknown key; did you mean listen.port?',
        'listen.port: "80" is not a whole number from 0 to 65535',
        'maxConnections: unknown key; did you mean listen.maxConnections or pools.<name>.maxConnections?',
        'pools.main.minConnections: 10 is more than pools.main.maxConnections (8); lower it or raise the other',
        'WSLUICE_PORT=x: not a whole number from 0 to 65535',
        'WSLUICE_UPSTREAMS=http://b: not a ws://, wss:// or ws+unix: URL or echo:',
        '--port abc: not a whole number from 0 to 65535',
        '--rate-limit foo: not <strategy>:<n>/s[,burst=<n>][,per=connection|ip|identity|global]',
        '--rate-limit foo:1/s: strategy foo is not token-bucket, leaky-bucket or sliding-window',
        '--path ws: does not start with /',
        '--mode tcp: not session, request or mux',
      ].toSorted(),
    );
  });

  it('have a key, a value and a problem', () => {
    expect(faultsOf({ file: 'listen: { port: 99999 }', flags: { logLevel: 'loud' } })).toEqual([
      expect.objectContaining({
        key: 'listen.port',
        value: '99999',
        problem: 'is not a whole number from 0 to 65535',
      }),
      expect.objectContaining({ key: '--log-level', value: 'loud' }),
    ]);
  });

  it('of a rule name the source of the value that breaks it', () => {
    const file = 'pools: { main: { maxConnections: 8 } }';
    const rest = 'more than pools.main.maxConnections (8); lower it or raise the other';
    expect(linesOf({ file, flags: { minConnections: '10' } })).toEqual([`--min-connections 10: ${rest}`]);
    expect(linesOf({ file, env: { WSLUICE_MIN_CONNECTIONS: '10' } })).toEqual([
      `WSLUICE_MIN_CONNECTIONS=10: ${rest}`,
    ]);
  });

  it('of messages that could never wait for the thread pool name both sizes', () => {
    expect(linesOf({ file: 'codec: { maxDecodedBytes: 5000000 }' })).toEqual([
      'codec.maxDecodedBytes: 5000000 is more than codec.maxPendingBytes (4194304); lower it or raise the other',
    ]);
  });

  it('of a dictionary say what it may be', () => {
    const key = 'codec.zstd.dictionary';
    const file = (dictionary: unknown): Sources => ({
      file: JSON.stringify({ codec: { zstd: { dictionary } } }),
    });
    expect(linesOf(file(5))).toEqual([
      `${key}: 5 is not the path of a file or a list of up to 8 of them, or null`,
    ]);
    expect(linesOf(file(Array.from({ length: 9 }, (_, n) => `/nowhere/${n}`)))[0]).toBe(
      `${key}: a list is not the path of a file or a list of up to 8 of them, or null`,
    );
    expect(linesOf(file(['/nowhere/a', '/nowhere/a']))[0]).toBe(`${key}[1]: "/nowhere/a" is listed twice`);
    expect(linesOf(file(''))).toEqual([`${key}: "" is empty`]);
  });

  it('of a rule that another source mends are none', () => {
    expect(linesOf({ file: 'admin: { host: 0.0.0.0 }' })).toHaveLength(1);
    expect(
      linesOf({ file: 'admin: { host: 0.0.0.0 }', env: { WSLUICE_ADMIN_TOKEN: 'long-enough' } }),
    ).toEqual([]);
  });

  it('of a rule are found beside other faults', () => {
    const lines = linesOf({
      file: 'routes: [{ path: /, pool: nope }]\npools: { main: { minConnections: x }, b: {} }',
    });
    expect(lines).toEqual([
      'pools.main.minConnections: "x" is not a whole number from 0 to 1000000',
      'routes[0].pool: "nope" is not the name of a pool; there are main, b',
    ]);
  });

  it('of a value in a default say the default', () => {
    expect(linesOf({ file: 'pools: { api: {} }' })).toEqual([
      'routes[0].pool: "main" is not the name of a pool; there is api',
    ]);
  });

  it('say what a missing key takes, and how YAML misread a text', () => {
    expect(linesOf({ file: 'routes: [{ path: / }]\npools: { main: { upstreams: [echo: ] } }' })).toEqual([
      'routes[0].pool: is missing; it takes the name of a pool',
      expect.stringMatching(
        /^pools\.main\.upstreams\[0\]: a mapping is not .*; put text that ends in a colon in quotes$/,
      ),
    ]);
  });

  it('of a file that cannot be read stand beside those of flags', () => {
    const flags = { config: 'missing.yaml', port: 'abc' };
    expect(linesOf({ flags })).toEqual([
      'missing.yaml: does not exist',
      '--port abc: not a whole number from 0 to 65535',
    ]);
    expect(linesOf({ file: 'listen: [', flags: { port: 'abc' } })).toHaveLength(2);
  });

  it('name the first unknown keys of a mapping, and count the rest', () => {
    const keys = Array.from({ length: 50 }, (_, index) => [`odd${index}`, 1]);
    const lines = linesOf({ file: JSON.stringify({ admin: Object.fromEntries(keys) as unknown }) });
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('admin: has 30 more unknown keys');
  });

  it('are named up to 100, and the rest are counted', () => {
    const routes = Array.from({ length: 102 }, (_, index) => ({ path: `p${index}`, pool: 'main' }));
    const lines = linesOf({ file: JSON.stringify({ routes }), flags: { port: 'abc' } });
    expect(lines).toHaveLength(101);
    expect(lines[99]).toBe('routes[99].path: "p99" does not start with /');
    expect(lines[100]).toBe('the configuration: has 3 more faults');
    expect(
      linesOf({ file: JSON.stringify({ routes: routes.slice(0, 99) }), flags: { port: 'abc' } }),
    ).toEqual([...lines.slice(0, 99), '--port abc: not a whole number from 0 to 65535']);
  });

  it('of keys that objects inherit are unknown keys, and change no prototype', () => {
    const file =
      '{"__proto__": {"polluted": 1}, "pools": {"__proto__": {"polluted": 1}, "main": {"__proto__": {}}}}';
    expect(
      faultsOf({ file })
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(['__proto__', 'pools.__proto__', 'pools.main.__proto__']);
    expect(linesOf({ file: '{"listen": {"constructor": 1, "toString": 2}}' })).toHaveLength(2);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('secrets', () => {
  it.each<[string, Sources]>([
    ['a token of the wrong type', { file: 'admin: { token: 90210902 }' }],
    ['a token too short', { file: 'admin: { token: 90210 x }' }],
    ['a token in the place of its section', { file: 'admin: "902109021090"' }],
    ['a token under a misspelt key', { file: 'admin: { tokn: "90210902" }' }],
    ['a token in the environment', { env: { WSLUICE_ADMIN_TOKEN: '90210' } }],
    ['credentials of an upstream', { file: 'pools: { main: { upstreams: ["ws://me:90210@host/#x"] } }' }],
    ['a query of an upstream', { flags: { upstream: ['http://host/?key=90210'] } }],
    ['credentials beside echo:', { env: { WSLUICE_UPSTREAMS: 'echo:,ws://me:90210@h' } }],
    ['a password of Redis', { flags: { redis: 'http://:90210@host' } }],
    ['a password of Redis in a file', { file: 'redis: { url: "reddis://:90210@host" }' }],
    ['a password of sentinels', { flags: { redis: 'redis+sentinel://me:90210@a:1,b:2' } }],
    ['a password of a cluster', { file: 'redis: { url: "redis+cluster://:9021@0@a:1,:9021@b:2/x" }' }],
    ['a token in broken YAML', { file: 'admin: { token: 90210 } 90210' }],
  ])('never show in a fault: %s', (_, sources) => {
    const faults = faultsOf(sources);
    expect(faults.length).toBeGreaterThan(0);
    expect(JSON.stringify(faults)).not.toContain('9021');
  });
});

describe('limits that come by themselves', () => {
  const entry = { scope: 'route', match: '/a', strategy: 'token-bucket', requestsPerSecond: 5 };

  it('are completed, for the routes there are', () => {
    expect(completeRateLimits([entry], ['/a'])).toEqual([
      expect.objectContaining({ ...entry, onExceed: 'reject', unit: 'messages' }),
    ]);
    expect(() => completeRateLimits([entry], ['/b'])).toThrow(
      'rateLimits[0].match: "/a" is not the path of a route; there is /b',
    );
  });

  it('have the faults that they have in a file', () => {
    const limits = [
      { ...entry, burst: 0, brust: 1 },
      7,
      { scope: 'method', strategy: 'x', dryRun: 'no' },
      entry,
    ];
    const file = JSON.stringify({ routes: [{ path: '/a', pool: 'main' }], rateLimits: limits });
    expect(() => completeRateLimits(limits, ['/a'])).toThrow(linesOf({ file }).join('\n'));
  });
});

describe('files that the configuration names', () => {
  it('must be readable, and certificate and key must fit', () => {
    const { certPath, keyPath } = selfSignedCertificate();
    const other = selfSignedCertificate();
    const tls = (cert: string, key: string): void => void completeConfig({ listen: { tls: { cert, key } } });
    expect(() => tls(certPath, keyPath)).not.toThrow();
    expect(() => tls(certPath, other.keyPath)).toThrow(
      /^listen\.tls\.cert: .* is not a certificate that goes with/,
    );
    expect(() => tls(certPath, '/nowhere/key.pem')).toThrow(
      'listen.tls.key: "/nowhere/key.pem" does not exist',
    );
  });

  it('are looked for in every pool', () => {
    const file =
      'pools: { main: { tls: { ca: /nowhere/ca.pem } } }\ncodec: { zstd: { dictionary: /nowhere/d } }';
    expect(linesOf({ file })).toEqual([
      'codec.zstd.dictionary: "/nowhere/d" does not exist',
      'pools.main.tls.ca: "/nowhere/ca.pem" does not exist',
    ]);
  });
});

it('names what is accepted without effect, and variables that mean nothing', () => {
  const { notices } = load({
    file: 'workers: 2',
    env: { WSLUICE_PROT: '1' },
    flags: { rateLimit: ['sliding-window:5/s,burst=9'] },
  });
  expect(notices).toEqual([
    'WSLUICE_PROT is not a setting and has no effect; did you mean WSLUICE_PORT?',
    'workers has no effect in this version: there is one',
    'rateLimits[0].burst has no effect on a sliding window',
  ]);
});

it('answers any file with a configuration or a ConfigError', () => {
  const key = fc.constantFrom(
    'listen',
    'admin',
    'pools',
    'routes',
    'main',
    'port',
    'tls',
    'token',
    '__proto__',
    'x',
  );
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, 0, -1, 1e400, '', 'ws://a', 'main'),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc
        .array(fc.tuple(key, tie('tree')), { maxLength: 4 })
        .map((entries) => Object.fromEntries(entries) as unknown),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      for (const line of linesOf({ file: JSON.stringify(value) })) expect(line).toMatch(/^[^\n]+: [^\n]+$/);
      expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    }),
  );
});
