import { describe, expect, it } from 'vitest';
import { ask, openAdmin, type Reply } from './admin.fixture.ts';
import type { PauseOutcome, PoolReport, PoolsControl } from './pools-control.ts';

/** Pools that do nothing but remember what was asked of them. */
class TestPools implements PoolsControl {
  readonly calls: unknown[][] = [];
  quiet = true;
  paused = true;

  reports(): PoolReport[] {
    return ['main', 'embedded'].map((name) => this.#report(name));
  }

  report(pool: string): PoolReport | undefined {
    return this.reports().find(({ name }) => name === pool);
  }

  upstreams(): PoolReport['upstreams'] {
    return [];
  }

  urlsOf(): undefined {
    return undefined;
  }

  pause(pool: string, timeoutMs?: number): Promise<PauseOutcome> {
    this.calls.push(['pause', pool, timeoutMs]);
    return Promise.resolve({ quiet: this.quiet, report: this.#report(pool) });
  }

  resume(pool: string): void {
    this.calls.push(['resume', pool]);
  }

  reconnect(pool: string): void {
    this.calls.push(['reconnect', pool]);
  }

  setUpstreams(pool: string, urls: readonly string[]): { added: string[]; removed: string[] } {
    this.calls.push(['setUpstreams', pool, ...urls]);
    return { added: [...urls], removed: [] };
  }

  #report(name: string): PoolReport {
    return {
      name,
      mode: 'request',
      balance: 'random',
      embedded: name === 'embedded',
      paused: this.paused,
      healthy: true,
      clients: 3,
      minConnections: 1,
      maxConnections: 2,
      connections: { dialing: 0, idle: 1, busy: 0, draining: 0 },
      replacing: 0,
      inFlight: 2,
      waiting: 0,
      totals: { accepted: 0, replied: 0, errored: 0, abandoned: 0, upstreamsLost: 0, retries: 0 },
      upstreams: [],
    };
  }
}

interface World {
  readonly pools: TestPools;
  readonly send: (
    method: string,
    path: string,
    body?: string,
    headers?: Record<string, string>,
  ) => Promise<Reply>;
}

async function start(): Promise<World> {
  const pools = new TestPools();
  const { port } = await openAdmin({ operations: pools });
  return { pools, send: (method, path, body, headers) => ask(port, path, headers, method, body) };
}

const faultsOf = ({ body }: Reply): string[] => (JSON.parse(body) as { faults: string[] }).faults;

describe('the pools', () => {
  it('are listed, and read one by one', async () => {
    const { send } = await start();
    const list = JSON.parse((await send('GET', '/api/pools')).body) as { pools: PoolReport[] };
    expect(list.pools.map(({ name }) => name)).toEqual(['main', 'embedded']);
    expect(JSON.parse((await send('GET', '/api/pools/main')).body)).toEqual(list.pools[0]);
    expect(JSON.parse((await send('GET', '/api/upstreams')).body)).toEqual({ upstreams: [] });
  });

  it.each([
    ['GET', ''],
    ['PUT', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/reconnect'],
  ])('that do not exist are a 404 to %s %s that names those that do', async (method, tail) => {
    const { send, pools } = await start();
    for (const name of ['nope', '__proto__', 'MAIN', '%6dain']) {
      const reply = await send(method, `/api/pools/${name}${tail}`);
      expect([reply.status, faultsOf(reply)]).toEqual([
        404,
        ['there is no pool of this name; there are: main, embedded'],
      ]);
    }
    expect(pools.calls).toEqual([]);
  });

  it.each([
    ['PUT', ''],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/reconnect'],
  ])('with an embedded backend answer 409 to %s %s', async (method, tail) => {
    const { send, pools } = await start();
    expect((await send(method, `/api/pools/embedded${tail}`)).status).toBe(409);
    expect(pools.calls).toEqual([]);
  });

  it.each([
    ['/api/pools', 'GET, HEAD'],
    ['/api/pools/main', 'GET, HEAD, PUT'],
    ['/api/pools/main/pause', 'POST'],
    ['/api/pools/main/resume', 'POST'],
    ['/api/pools/main/reconnect', 'POST'],
    ['/api/upstreams', 'GET, HEAD'],
    ['/api/drain', 'POST'],
  ])('say at %s what can be done there: %s', async (path, allowed) => {
    const { send, pools } = await start();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      if (allowed.split(', ').includes(method)) continue;
      const { status, headers } = await send(method, path);
      expect([method, status, headers['allow']]).toEqual([method, 405, allowed]);
    }
    expect(pools.calls).toEqual([]);
  });

  it('are not for pages of another origin, nor for another Host', async () => {
    const { send, pools } = await start();
    for (const [method, path] of [
      ['PUT', '/api/pools/main'],
      ['POST', '/api/pools/main/pause'],
      ['POST', '/api/pools/main/resume'],
      ['POST', '/api/pools/main/reconnect'],
      ['POST', '/api/drain'],
    ] as const) {
      const body = method === 'PUT' ? '{"upstreams":["ws://a"]}' : '';
      for (const headers of [
        { origin: 'https://evil.example' },
        { origin: 'null' },
        { host: 'evil.example' },
      ]) {
        expect((await send(method, path, body, headers)).status).toBe(403);
      }
    }
    expect(pools.calls).toEqual([]);
  });
});

describe('a pause', () => {
  it('answers with the pool when it is quiet', async () => {
    const { send, pools } = await start();
    const reply = await send('POST', '/api/pools/main/pause');
    expect([reply.status, (JSON.parse(reply.body) as PoolReport).paused]).toEqual([200, true]);
    expect(pools.calls).toEqual([['pause', 'main', undefined]]);
  });

  it('takes timeoutMs from the query or the body', async () => {
    const { send, pools } = await start();
    await send('POST', '/api/pools/main/pause?timeoutMs=70');
    await send('POST', '/api/pools/main/pause', '{"timeoutMs": 80}');
    expect(pools.calls.map(([, , timeoutMs]) => timeoutMs)).toEqual([70, 80]);
  });

  it.each([
    ['?timeoutMs=-1', ''],
    ['?timeoutMs=', ''],
    ['?timeoutMs=1.5', ''],
    ['?timeoutMs=3600001', ''],
    ['', '{"timeoutMs":"soon"}'],
    ['', '{"timeoutMs":true}'],
    ['', '{"timeout":5}'],
    ['', '{"faults":[]}'],
    ['', '[]'],
    ['', 'nonsense'],
  ])('of %s with the body %s is not begun', async (query, body) => {
    const { send, pools } = await start();
    const reply = await send('POST', `/api/pools/main/pause${query}`, body);
    expect([reply.status, faultsOf(reply).length, pools.calls]).toEqual([400, 1, []]);
  });

  it('that takes too long is a 504 that says what is in flight, and that it stays', async () => {
    const { send, pools } = await start();
    pools.quiet = false;
    const reply = await send('POST', '/api/pools/main/pause');
    expect([reply.status, faultsOf(reply)[0]]).toEqual([
      504,
      expect.stringContaining('2 still in flight; the pool stays paused'),
    ]);
    expect(JSON.parse(reply.body)).toMatchObject({ paused: true, inFlight: 2 });
  });

  it('that somebody ended meanwhile is a 409', async () => {
    const { send, pools } = await start();
    pools.quiet = pools.paused = false;
    expect((await send('POST', '/api/pools/main/pause')).status).toBe(409);
  });
});

describe('the other changes', () => {
  it('resume, and connect anew', async () => {
    const { send, pools } = await start();
    expect((await send('POST', '/api/pools/main/resume')).status).toBe(200);
    expect((await send('POST', '/api/pools/main/reconnect')).status).toBe(202);
    expect(pools.calls).toEqual([
      ['resume', 'main'],
      ['reconnect', 'main'],
    ]);
  });

  it('give a pool other upstreams, and say which came and went', async () => {
    const { send, pools } = await start();
    const reply = await send('PUT', '/api/pools/main', '{"upstreams":["ws://a:1","wss://b"]}');
    expect([reply.status, JSON.parse(reply.body)]).toMatchObject([
      200,
      { name: 'main', added: ['ws://a:1', 'wss://b'], removed: [] },
    ]);
    expect(pools.calls).toEqual([['setUpstreams', 'main', 'ws://a:1', 'wss://b']]);
  });

  it.each([
    ['', 'the body is not a JSON mapping'],
    ['[]', 'the body is not a JSON mapping'],
    ['{"upstreams":["ws://a"],"mode":"session"}', 'all else needs a restart'],
    ['{"upstreams":null}', 'pools.main.upstreams: null is not a list'],
    ['{"upstreams":[]}', 'pools.main.upstreams'],
    ['{"upstreams":["http://a"]}', 'pools.main.upstreams[0]: "http://a" is not a ws://'],
    ['{"upstreams":["ws://a#x"]}', 'pools.main.upstreams[0]'],
    ['{"upstreams":["echo:"]}', 'needs a restart'],
    ['{"upstreams":["ws://u:canary@a b"]}', 'pools.main.upstreams[0]: "ws://***@'],
  ])('answer 400 to the upstreams %s', async (body, fault) => {
    const { send, pools } = await start();
    const reply = await send('PUT', '/api/pools/main', body);
    expect([reply.status, faultsOf(reply)]).toEqual([400, [expect.stringContaining(fault)]]);
    expect(reply.body).not.toContain('canary');
    expect(pools.calls).toEqual([]);
  });

  it('are not read from a body without end', async () => {
    const { send } = await start();
    expect((await send('PUT', '/api/pools/main', 'x'.repeat(5_000_000))).status).toBe(413);
  });
});

it('POST /api/drain answers before the drain begins', async () => {
  let begun = 0;
  const { port } = await openAdmin({ drain: () => begun++ });
  const { status, body } = await ask(port, '/api/drain', {}, 'POST');
  expect([status, JSON.parse(body)]).toEqual([202, { draining: true }]);
  await expect.poll(() => begun).toBe(1);
});
