import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import type { RateLimitConfig } from '../config/schema.ts';
import { ask, openAdmin, type Reply } from './admin.fixture.ts';
import type { AdminOptions } from './admin-server.ts';
import { maxLimitsBytes } from './limits-api.ts';
import type { LimitsControl, LimitsSnapshot } from './limits-control.ts';

/** Limits that remember what they were replaced with, and decide nothing. */
class FakeLimits implements LimitsControl {
  readonly routes = ['/ws', '/api'];
  readonly replacements: (readonly RateLimitConfig[])[] = [];

  snapshot(): LimitsSnapshot {
    return {
      limits: (this.replacements.at(-1) ?? []).map((config) => ({
        name: config.scope,
        isImplied: false,
        config,
        keys: 2,
        decisions: { allowed: 7, rejected: 1 },
        topKeys: [{ key: 'a1b2', refused: 1, retryAfterMs: 250 }],
      })),
      shared: { redis: 'up' },
    };
  }

  replace(rateLimits: readonly RateLimitConfig[]): void {
    this.replacements.push(rateLimits);
  }
}

interface World {
  readonly port: number;
  readonly limits: FakeLimits;
  readonly logged: unknown[][];
  readonly put: (body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;
}

async function start(options: Partial<AdminOptions> = {}): Promise<World> {
  const limits = new FakeLimits();
  const logged: unknown[][] = [];
  const log = { info: (...args: unknown[]) => void logged.push(args) };
  const { port } = await openAdmin({ limits, log, ...options });
  const put: World['put'] = (body, headers = {}) =>
    ask(port, '/api/limits', headers, 'PUT', isRaw(body) ? body : JSON.stringify(body));
  return { port, limits, logged, put };
}

const isRaw = (body: unknown): body is string | Buffer => typeof body === 'string' || Buffer.isBuffer(body);
const entry = { scope: 'ip', strategy: 'token-bucket', requestsPerSecond: 5 };
const complete = { ...entry, burst: null, unit: 'messages', onExceed: 'reject', dryRun: false };
const faultsOf = ({ body }: Reply): unknown => (JSON.parse(body) as Record<string, unknown>)['faults'];

describe('GET /api/limits', () => {
  it('shows the limits as JSON and changes nothing', async () => {
    const { port, limits, logged } = await start();
    const { status, headers, body } = await ask(port, '/api/limits?x=1');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({ limits: [], shared: { redis: 'up' } });
    expect([limits.replacements, logged]).toEqual([[], []]);
  });

  it('says nothing of why it fails', async () => {
    const limits = new FakeLimits();
    limits.snapshot = () => {
      throw new Error('bug: secret detail');
    };
    const { port } = await openAdmin({ limits });
    const { status, body } = await ask(port, '/api/limits');
    expect([status, body]).toEqual([500, 'internal error\n']);
  });
});

describe('PUT /api/limits', () => {
  it.each([
    ['a list', [entry]],
    ['a mapping as in the file', { rateLimits: [entry] }],
  ])('replaces all limits by %s, and shows them', async (_, body) => {
    const { put, limits, logged } = await start();
    const reply = await put(body);
    expect(reply.status).toBe(200);
    expect(limits.replacements).toEqual([[expect.objectContaining(complete)]]);
    expect(JSON.parse(reply.body)).toMatchObject({
      limits: [{ name: 'ip', config: complete, keys: 2, topKeys: [{ key: 'a1b2', retryAfterMs: 250 }] }],
    });
    expect(logged).toEqual([[{ limits: 1 }, 'rate limits replaced by PUT /api/limits']]);
  });

  it('takes an empty list for no limits', async () => {
    const { put, limits } = await start();
    expect([(await put([])).status, limits.replacements]).toEqual([200, [[]]]);
  });

  it('answers with every fault, and then changes nothing', async () => {
    const { put, limits, logged } = await start();
    const reply = await put([
      { ...entry, burst: 0, brust: 1 },
      { ...entry, scope: 'method' },
      { ...entry, scope: 'route', match: '/nope' },
      { ...entry, scope: 'global', match: 'a' },
      'token-bucket:5/s',
    ]);
    expect(reply.status).toBe(400);
    expect(faultsOf(reply)).toEqual([
      'rateLimits[0].burst: 0 is not a whole number from 1 to 1000000000 or null',
      'rateLimits[0].brust: unknown key; did you mean rateLimits[0].burst?',
      'rateLimits[4]: the value is not a mapping',
      'rateLimits[1].match: null is not the name of a method, which scope method needs',
      'rateLimits[3].match: "a" has no meaning for scope global; it belongs to method and route',
      'rateLimits[2].match: "/nope" is not the path of a route; there are /ws, /api',
    ]);
    expect([limits.replacements, logged]).toEqual([[], []]);
  });

  it.each([
    ['nothing', ''],
    ['no JSON', '{"rateLimits": ['],
    ['YAML', 'rateLimits: []'],
    ['bytes that are no UTF-8', Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d])],
    ['null', 'null'],
    ['a text', '"rateLimits"'],
    ['an empty mapping', '{}'],
    ['the rest of a file too', '{"rateLimits": [], "routes": []}'],
    ['a prototype instead', '{"__proto__": {"rateLimits": []}}'],
    ['a prototype too', '{"rateLimits": [], "__proto__": {"polluted": 1}}'],
  ])('refuses %s', async (_, body) => {
    const { put, limits } = await start();
    const reply = await put(body);
    expect([reply.status, limits.replacements]).toEqual([400, []]);
    expect(faultsOf(reply)).toEqual([
      'the body is not a JSON list of rateLimits, nor a mapping with nothing but that list',
    ]);
  });

  it.each(['null', '{}', '7', '"x"'])('refuses rateLimits that are %s', async (list) => {
    const { put, limits } = await start();
    const reply = await put(`{"rateLimits": ${list}}`);
    expect([reply.status, limits.replacements]).toEqual([400, []]);
    expect(faultsOf(reply)).toEqual([expect.stringMatching(/^rateLimits: .* is not a list, of mappings$/)]);
  });

  it('pollutes no prototype', async () => {
    const { put, limits } = await start();
    const text = JSON.stringify(entry).slice(0, -1);
    for (const key of ['__proto__', 'constructor', 'toString']) {
      const reply = await put(`[${text}, "${key}": {"polluted": 1, "dryRun": true}}]`);
      expect(reply.status).toBe(400);
      expect(faultsOf(reply)).toEqual([expect.stringContaining(`rateLimits[0].${key}: unknown key`)]);
    }
    expect(limits.replacements).toEqual([]);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('refuses more limits than a file may have, whatever they are', async () => {
    const { put, limits } = await start();
    const reply = await put(Array(200_000).fill(1));
    expect(reply.status).toBe(400);
    expect(faultsOf(reply)).toEqual(['rateLimits: a list has more than 1000 entries']);
    expect(limits.replacements).toEqual([]);
  });

  it('takes the largest body, and answers 413 to a larger one', async () => {
    const { put, limits } = await start();
    const padded = (bytes: number): string => JSON.stringify([entry]).padEnd(bytes, ' ');
    expect((await put(padded(maxLimitsBytes))).status).toBe(200);
    const reply = await put(padded(maxLimitsBytes + 1));
    expect([reply.status, reply.headers['connection']]).toEqual([413, 'close']);
    expect((await put(padded(maxLimitsBytes * 4))).status).toBe(413);
    expect(limits.replacements).toHaveLength(1);
  });

  it('cuts off a body without end', async () => {
    const { port, limits } = await start();
    const outgoing = request({ host: '127.0.0.1', port, path: '/api/limits', method: 'PUT', agent: false });
    const endless = new Readable({ read: () => void endless.push(Buffer.alloc(65_536, ' ')) });
    await expect(pipeline(endless, outgoing)).rejects.toThrow();
    expect((await ask(port, '/api/limits')).status).toBe(200);
    expect(limits.replacements).toEqual([]);
  });

  it('changes nothing for a sender that goes away', async () => {
    const { port, limits } = await start();
    const sender = connect(port, '127.0.0.1');
    sender.write('PUT /api/limits HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\n[]');
    await once(sender, 'connect');
    sender.destroy();
    expect((await ask(port, '/api/limits')).status).toBe(200);
    expect(limits.replacements).toEqual([]);
  });

  it('answers 405 with Allow to anything else', async () => {
    const { port, limits } = await start();
    for (const method of ['POST', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status, headers } = await ask(port, '/api/limits', {}, method, JSON.stringify([entry]));
      expect([status, headers['allow']]).toEqual([405, 'GET, HEAD, PUT']);
    }
    expect(limits.replacements).toEqual([]);
  });
});

describe('a page that wants to change the limits', () => {
  it.each([
    ['http://localhost:8081', 'localhost:8081'],
    ['http://127.0.0.1:8081', '127.0.0.1:8081'],
    ['http://[::1]:8081', '[::1]:8081'],
    ['http://LOCALHOST', 'localhost:80'],
    ['https://localhost', 'localhost'],
  ])('may, from %s at %s', async (origin, host) => {
    const { put, limits } = await start();
    expect([(await put([entry], { origin, host })).status, limits.replacements.length]).toEqual([200, 1]);
  });

  it.each([
    'http://evil.example',
    'http://evil.example:8081',
    'http://localhost.evil.example:8081',
    'http://localhost:8081.evil.example',
    'http://localhost:8082',
    'http://localhost',
    'http://127.0.0.1:8081',
    'ftp://localhost:8081',
    'file://localhost:8081',
    'localhost:8081',
    'null',
    '',
    'http://',
    'chrome-extension://localhost:8081',
  ])('may not from %j at localhost:8081', async (origin) => {
    const { put, limits } = await start();
    const reply = await put([entry], { origin, host: 'localhost:8081' });
    expect([reply.status, limits.replacements]).toEqual([403, []]);
  });

  it('may not from another origin with the token either, where any Host is taken', async () => {
    const { put, limits } = await start({ token: 'long-enough' });
    const headers = { authorization: 'Bearer long-enough', host: 'admin.example' };
    expect((await put([entry], { ...headers, origin: 'https://evil.example' })).status).toBe(403);
    expect(limits.replacements).toEqual([]);
    expect((await put([entry], { ...headers, origin: 'https://admin.example' })).status).toBe(200);
  });
});

it('wants the token, for reading and for changing', async () => {
  const { put, port, limits } = await start({ token: 'long-enough' });
  for (const authorization of ['', 'Bearer long-enougH', 'Bearer']) {
    expect((await put([entry], { authorization })).status).toBe(401);
    expect((await ask(port, '/api/limits', { authorization })).status).toBe(401);
  }
  expect(limits.replacements).toEqual([]);
  expect((await put([entry], { authorization: 'Bearer long-enough' })).status).toBe(200);
});
