import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { configFile, startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { getLimits, putLimits, type LimitInput } from './support/limits-api.ts';
import { upstreams } from './support/operations-api.ts';

const limit = (requestsPerSecond: number): LimitInput => ({
  scope: 'ip',
  strategy: 'token-bucket',
  requestsPerSecond,
});

const messages = (gateway: Gateway): unknown[] => gateway.logs().map(({ msg }) => msg);
/** What the limits on messages allow now; a limit on an address limits its new connections too. */
const rates = async (gateway: Gateway): Promise<number[]> =>
  (await getLimits(gateway)).limits
    .filter(({ config }) => config.unit === 'messages')
    .map(({ config }) => config.requestsPerSecond);

async function startWith(config: Record<string, unknown>): Promise<{ gateway: Gateway; file: string }> {
  const file = configFile(config);
  return { gateway: await startGateway({ args: ['--config', file] }), file };
}

describe('SIGHUP', () => {
  it('puts the limits of the file in force, keeps every client, and names what needs a restart', async () => {
    const { gateway, file } = await startWith({ rateLimits: [limit(1_000)] });
    const client = await connectClient(gateway.url);
    writeFileSync(
      file,
      stringify({ rateLimits: [limit(2_000), { ...limit(5), scope: 'global' }], log: { level: 'warn' } }),
    );
    gateway.signal('SIGHUP');
    await eventually(() => expect(messages(gateway)).toContain('rate limits reloaded'));
    expect(await rates(gateway)).toEqual([2_000, 5]);
    expect(gateway.logs()).toContainEqual(expect.objectContaining({ keys: ['log.level'] }));
    client.send('still here');
    expect(await client.nextText()).toContain('still here');
  });

  it('changes nothing when the file has a fault, and logs each on a line', async () => {
    const { gateway, file } = await startWith({ rateLimits: [limit(1_000)] });
    writeFileSync(file, stringify({ rateLimits: [{ ...limit(2_000), burst: 0, brust: 1 }] }));
    gateway.signal('SIGHUP');
    await eventually(() => expect(gateway.logs().filter(({ fault }) => fault !== undefined)).toHaveLength(2));
    expect(await rates(gateway)).toEqual([1_000]);
  });

  it('undoes a PUT', async () => {
    const { gateway } = await startWith({ rateLimits: [limit(1_000)] });
    expect((await putLimits(gateway, [limit(9)])).status).toBe(200);
    expect(await rates(gateway)).toEqual([9]);
    gateway.signal('SIGHUP');
    await eventually(async () => expect(await rates(gateway)).toEqual([1_000]));
  });

  it('gives pools the upstreams of the file, loses no client, and names what else of them needs a restart', async () => {
    const [first, second] = [await startJsonRpcBackend(), await startJsonRpcBackend({ name: 'second' })];
    const pool = { mode: 'request', upstreams: [first.url] };
    const { gateway, file } = await startWith({ pools: { main: pool } });
    const client = await connectClient(gateway.url);
    writeFileSync(
      file,
      stringify({ pools: { main: { ...pool, upstreams: [second.url], maxConnections: 7 } } }),
    );
    gateway.signal('SIGHUP');
    await eventually(() => expect(messages(gateway)).toContain('upstreams replaced'));
    expect(gateway.logs()).toContainEqual(
      expect.objectContaining({ added: [`${second.url}/`], removed: [`${first.url}/`] }),
    );
    await eventually(() =>
      expect(gateway.logs()).toContainEqual(expect.objectContaining({ keys: ['pools.main.maxConnections'] })),
    );
    expect(await client.call({ jsonrpc: '2.0', id: 1, method: 'whoami' })).toMatchObject({
      result: 'second',
    });
    await eventually(() => expect(first.connectionsNow()).toBe(0));
    writeFileSync(file, stringify({ pools: { main: { ...pool, upstreams: ['ws:/nope'] } } }));
    gateway.signal('SIGHUP');
    await eventually(() => expect(gateway.output()).toContain('pools.main.upstreams[0]'));
    expect((await upstreams(gateway)).map(({ upstream }) => upstream)).toEqual([`${second.url}/`]);
  });

  it('has nothing to reread where there is no file', async () => {
    const gateway = await startGateway();
    gateway.signal('SIGHUP');
    await eventually(() =>
      expect(messages(gateway)).toContain(
        'no configuration file to reread; flags and environment stay as they are',
      ),
    );
    expect(gateway.hasExited()).toBe(false);
  });

  it('does not cut a drain short', async () => {
    const { gateway } = await startWith({ drain: { spreadMs: 1_500 } });
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(gateway.url)));
    gateway.signal('SIGTERM');
    await eventually(() => expect(messages(gateway).join()).toContain('draining'));
    gateway.signal('SIGHUP');
    await eventually(() => expect(messages(gateway)).toContain('nothing is reloaded during a drain'));
    expect(await gateway.exited).toBe(0);
    for (const client of clients) expect((await client.closed).code).toBe(1001);
  });
});
