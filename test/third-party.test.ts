import type { AddressInfo } from 'node:net';
import { createClient } from 'graphql-ws';
import { Client as RpcClient, Server as RpcServer } from 'rpc-websockets';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startFixture } from './support/fixture.ts';
import { startGateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';

describe('an rpc-websockets server behind request mode', () => {
  it('serves its own clients over two connections', async () => {
    const server = new RpcServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    onTearDown(() => server.close());
    server.register('sum', (params) => (params as number[]).reduce((sum, n) => sum + n, 0));
    server.register('fail', () => {
      throw new Error('it failed');
    });
    const { port } = server.wss.address() as AddressInfo;
    const gateway = await startGateway({
      args: ['--mode', 'request', '--upstream', `ws://127.0.0.1:${port}`, '--max-connections', '2'],
    });

    const clients = await Promise.all(Array.from({ length: 20 }, () => openRpcClient(gateway.url)));
    const sums = await Promise.all(
      clients.flatMap((client, n) => [client.call('sum', [n, 1]), client.call('sum', [n, 2])]),
    );
    expect(sums).toEqual(clients.flatMap((_client, n) => [n + 1, n + 2]));
    await expect(clients[0]!.call('fail', [])).rejects.toMatchObject({ code: -32000 });
    await expect(clients[0]!.call('no such method', [])).rejects.toMatchObject({ code: -32601 });
    expect(server.wss.clients.size).toBeLessThanOrEqual(2);
  });
});

async function openRpcClient(url: string): Promise<RpcClient> {
  const client = new RpcClient(url, { reconnect: false });
  onTearDown(() => client.close());
  await new Promise<void>((resolve, reject) => {
    client.on('open', resolve);
    client.on('error', reject);
  });
  return client;
}

describe('a graphql-ws server behind session mode', () => {
  it('serves queries and subscriptions to its own client over graphql-transport-ws', async () => {
    const server = await startFixture('graphql-server.mjs');
    const gateway = await startGateway({ args: ['--upstream', server.url] });

    const client = createClient({ url: gateway.url, webSocketImpl: WebSocket, retryAttempts: 0 });
    const counted: unknown[] = [];
    for await (const { data } of client.iterate({ query: 'subscription { count(to: 5) }' }))
      counted.push(data);
    expect(counted).toEqual([1, 2, 3, 4, 5].map((count) => ({ count })));
    for await (const { data } of client.iterate({ query: '{ hello }' }))
      expect(data).toEqual({ hello: 'world' });
    const [, ...protocols] = server.output().trim().split('\n');
    expect(new Set(protocols), 'what the server agreed with the gateway').toEqual(
      new Set(['graphql-transport-ws']),
    );
    await client.dispose();
  });
});
