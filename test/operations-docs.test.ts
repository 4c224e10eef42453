import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { CHECKOUT, startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { mainPool, upstreams } from './support/operations-api.ts';

const page = readFileSync(join(CHECKOUT, 'docs/operations.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, command]) => command!.trim());

/** The one command of the page that has this text in it. */
function command(text: string): string {
  const found = commands.filter((one) => one.endsWith(text) && !one.startsWith('trap'));
  if (found.length !== 1) throw new Error(`docs/operations.md has ${found.length} commands with ${text}`);
  return found[0]!;
}

/** Runs a command of the page against this gateway; throws when it fails. */
async function run(gateway: Gateway, text: string): Promise<Record<string, unknown>> {
  const child = startChild('sh', ['-c', command(text).replaceAll('http://127.0.0.1:8081', gateway.adminUrl)]);
  expect(await child.exited, child.output()).toBe(0);
  return JSON.parse(child.output()) as Record<string, unknown>;
}

it('the commands of docs/operations.md do what it says', async () => {
  const backend = await startJsonRpcBackend();
  const main = { mode: 'request', upstreams: [backend.url] };
  const gateway = await startGateway({ config: { pools: { main } } });
  const client = await connectClient(gateway.url);

  expect(await run(gateway, '/api/pools/main/pause')).toMatchObject({ paused: true, inFlight: 0 });
  expect(await run(gateway, "pause?timeoutMs=2000'")).toMatchObject({ paused: true });
  expect(await run(gateway, '/api/pools/main/resume')).toMatchObject({ paused: false });
  expect(await run(gateway, '/api/pools/main/reconnect')).toMatchObject({ name: 'main' });
  expect(await client.call({ jsonrpc: '2.0', id: 1, method: 'echo', params: 1 })).toMatchObject({
    result: 1,
  });

  const added = ['ws://127.0.0.1:9001/', 'ws://127.0.0.1:9002/'];
  expect(await run(gateway, '9002"] }\'')).toMatchObject({ added, removed: [`${backend.url}/`] });
  expect((await upstreams(gateway)).flatMap(({ upstream, removed }) => (removed ? [] : [upstream]))).toEqual(
    added,
  );

  expect(await run(gateway, "clients?offset=0&limit=100'")).toMatchObject({ total: 1, clients: [{ id: 1 }] });
  expect(await run(gateway, "sort=messages&limit=10'")).toMatchObject({
    clients: [{ id: 1, messages: { received: 1, sent: 1 } }],
  });
  expect(await run(gateway, '/api/clients/1')).toEqual({ id: 1, closed: true });
  expect((await client.closed).code).toBe(1008);

  expect((await mainPool(gateway)).clients).toBe(0);
  expect(await run(gateway, '/api/drain')).toEqual({ draining: true });
  expect(await gateway.exited).toBe(0);
});

it('docs/operations.md lists every endpoint of the API', async () => {
  const gateway = await startGateway();
  const known = (await (await fetch(`${gateway.adminUrl}/nope`)).text()).replace(/^known here: |\n$/g, '');
  const paths = known.split(', ').filter((path) => path.startsWith('/api/'));
  expect(paths.length).toBeGreaterThan(5);
  for (const path of paths) expect(page).toMatch(new RegExp(` ${path}[\`?]`));
});
