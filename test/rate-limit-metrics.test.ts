import { describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import { getLimits } from './support/limits-api.ts';
import { bucket, startLimited } from './support/limited-gateway.ts';
import type { MetricsPage } from './support/metrics-page.ts';
import { askUpgrade } from './support/raw-client.ts';
import { answeredOf, decisionsOf, fireVolley, request } from './support/volley.ts';

describe('GET /api/limits', () => {
  const limits = [
    { scope: 'identity', burst: 3 },
    { scope: 'global', burst: 50 },
  ] as const;

  it.each(['hashed', 'clear'])('tells the keys that were refused most, %s', async (show) => {
    const gateway = await startLimited(limits, { identity: { query: 'key' }, rateLimitKeys: { show } });
    for (const [key, count] of [
      ['canary-ann', 5],
      ['canary-bob', 9],
      ['canary-carl', 2],
    ] as const) {
      const client = await connectClient(gateway.at(`/ws?key=${key}`));
      expect(await answeredOf(client, count)).toBe(Math.min(3, count));
    }
    const snapshot = await getLimits(gateway);
    expect(snapshot.shared).toEqual({ redis: 'off' });
    const [identity, global] = snapshot.limits;
    expect(identity).toMatchObject({ keys: 3, decisions: { allowed: 8, rejected: 8 } });
    expect(identity?.topKeys.map(({ refused }) => refused)).toEqual([6, 2]);
    for (const { retryAfterMs } of identity!.topKeys) expect(retryAfterMs).toBeGreaterThan(0);
    expect(global).toMatchObject({ decisions: { allowed: 8, rejected: 0 }, topKeys: [] });
    const keys = identity!.topKeys.map(({ key }) => key);
    if (show === 'clear')
      expect(keys.map((key) => key.replace('id ', ''))).toEqual(['canary-bob', 'canary-ann']);
    else expect(JSON.stringify(snapshot)).not.toContain('canary');
  });
});

describe('dryRun', () => {
  it('refuses nothing, counts what it would have refused, and says so once', async () => {
    const gateway = await startLimited([
      { burst: 5, dryRun: true, onExceed: 'close' },
      { scope: 'global', burst: 1_000 },
    ]);
    const client = await connectClient(gateway.url);
    expect(await answeredOf(client, 60)).toBe(60);
    expect(await answeredOf(client, 40)).toBe(40);
    expect(await decisionsOf(gateway, 'connection', 'allowed')).toBe(5);
    expect(await decisionsOf(gateway, 'connection', 'dry_run')).toBe(95);
    expect(await decisionsOf(gateway, 'connection', 'closed')).toBe(0);
    expect(await decisionsOf(gateway, 'global', 'allowed')).toBe(100);
    expect((await gateway.metrics()).sum('websocket_errors_total', { type: 'rate-limited' })).toBe(0);
    const lines = (): object[] => gateway.logs().filter(({ msg }) => /on trial/.test(String(msg)));
    await eventually(() =>
      expect(lines()).toMatchObject([{ level: 40, limit: expect.stringContaining('connection') as string }]),
    );
  });
});

describe('metrics', () => {
  const decisions = ['allowed', 'rejected', 'dropped', 'closed', 'delayed', 'dry_run'];
  const scopes = ['global', 'connection', 'ip', 'identity', 'route', 'method'];

  it('count every decision of every scope', async () => {
    const perMethod = { scope: 'method', per: 'connection', burst: 2 } as const;
    const gateway = await startLimited([
      ...(['global', 'connection', 'ip', 'identity', 'route'] as const).map((scope) => ({
        scope,
        burst: 30,
      })),
      { ...perMethod, match: 'reject' },
      { ...perMethod, match: 'drop', onExceed: 'drop' },
      { ...perMethod, match: 'close', onExceed: 'close' },
      { ...perMethod, match: 'delay', onExceed: 'delay', requestsPerSecond: 50 },
      { ...perMethod, match: 'watch', dryRun: true },
    ]);
    const client = await connectClient(gateway.url);
    for (const method of ['reject', 'drop', 'delay', 'watch', 'close']) {
      for (let id = 0; id < 4; id++) client.send(request(`${method} ${id}`, method));
    }
    expect((await client.closed).code).toBe(1008);
    const page = await gateway.metrics();
    const count = (scope: string, decision: string): number | undefined =>
      page.find('wsluice_ratelimit_decisions_total', { scope, decision });
    // Two of each method and two of those that are delayed or on trial: 2 + 2 + 4 + 4 + 2.
    for (const scope of scopes.slice(0, 5)) {
      const door = scope === 'ip' ? 1 : 0;
      expect(count(scope, 'allowed'), scope).toBe(14 + door);
      expect(count(scope, 'rejected'), scope).toBe(0);
    }
    expect(decisions.map((decision) => count('method', decision))).toEqual([10, 2, 2, 1, 2, 2]);
  });

  it('carry labels of closed sets alone, and no log line a name that a client chose', async () => {
    const canary = `canary${Math.random().toString(36).slice(2)}`;
    const gateway = await startGateway({
      args: ['--log-level', 'debug'],
      config: {
        pools: { main: { mode: 'request' } },
        rateLimits: [
          bucket({ scope: 'method', match: '*', per: 'identity', burst: 2 }),
          bucket({ scope: 'identity', burst: 900 }),
          bucket({ scope: 'identity', unit: 'connections', burst: 1 }),
          bucket({ scope: 'global', burst: 500, dryRun: true }),
        ],
        identity: { header: 'x-api-key', query: 'key' },
      },
    });
    await fireVolley(await connectClient(gateway.url), 3);
    const before = seriesOf(await gateway.metrics());
    const client = await connectClient(gateway.at(`/ws?key=${canary}`));
    const odd = [
      '__proto__',
      'constructor',
      '\\"} 1\\n',
      'a{b=\\"c\\"}',
      '\\u0000',
      '\\ud83d\\ude00',
      'rpc.',
    ];
    for (let n = 0; n < 1_000; n++) {
      client.send(`{"jsonrpc":"2.0","id":${n},"method":"${odd[n % odd.length]}${canary}${n}"}`);
    }
    for (let n = 0; n < 1_000; n++) expect((await client.nextJson()).id).toBe(n);
    for (let n = 0; n < 1_000; n += 50) {
      const asking = Array.from({ length: 50 }, (_, i) => {
        const name = `${['__proto__', '"} 1', '{a="b"}', '%0a'][n % 4]}${canary}${n + i}`;
        return i % 2 === 0
          ? askUpgrade(gateway.port, { headers: { 'X-Api-Key': name } })
          : askUpgrade(gateway.port, { path: `/ws?key=${encodeURIComponent(name)}` });
      });
      for (const { status } of await Promise.all(asking)) expect(status).toBe(101);
    }
    expect((await askUpgrade(gateway.port, { headers: { 'X-Api-Key': canary } })).status).toBe(429);
    const page = await gateway.metrics();
    expect(page.text).not.toContain(canary);
    expect(seriesOf(page)).toEqual(before);
    const family = 'wsluice_ratelimit_decisions_total';
    expect(page.labelValues(family, 'scope')).toEqual(scopes);
    expect(page.labelValues(family, 'decision')).toEqual(decisions);
    expect(page.sum('wsluice_ratelimit_keys', { scope: 'identity' })).toBeGreaterThan(1_000);
    expect(gateway.output()).not.toContain(canary);
    expect(JSON.stringify(await getLimits(gateway))).not.toContain(canary);
    expect(gateway.hasExited()).toBe(false);
  });
});

/** What a page has figures of, but for what Node says of itself. */
function seriesOf(page: MetricsPage): string[] {
  return page.series().filter((name) => !name.startsWith('nodejs_'));
}
