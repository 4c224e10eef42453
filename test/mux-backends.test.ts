import { once } from 'node:events';
import { createClient, CloseCode } from 'graphql-ws';
import type { Client } from 'graphql-ws';
import { io } from 'socket.io-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startDocsExample } from './support/docs-example.ts';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import { MUX, muxFrame, openFrame } from './support/mux-frames.ts';
import { MuxGateway, startMuxBridge } from './support/mux-gateway.ts';
import { onTearDown } from './support/tear-down.ts';
import { startGateway } from './support/gateway.ts';

const ways: readonly (readonly [string, (backendUrl: string) => Promise<string>])[] = [
  ['an independent gateway', async (backendUrl) => (await startMuxBridge(backendUrl)).url],
  ['wsluice', async (backendUrl) => (await startWsluice(backendUrl)).url],
];

describe.each(ways)('behind %s', (_name, connect) => {
  it('a chat server runs with three lines more', async () => {
    const url = await connect((await startDocsExample('mux-adapter.md', 'chat.mjs')).url);
    const heard: string[][] = [];
    const clients = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const client = new WebSocket(url);
        heard[n] = [];
        client.on('message', (data: Buffer) => heard[n]!.push(data.toString()));
        onTearDown(() => client.terminate());
        await once(client, 'open');
        return client;
      }),
    );
    clients[3]!.send('hello');
    clients[3]!.send('all');
    await eventually(() => expect(heard.every(([one, two]) => one === 'hello' && two === 'all')).toBe(true));
    clients[7]!.close();
    await once(clients[7]!, 'close');
    clients[0]!.send('again');
    await eventually(() => expect(heard.filter((lines) => lines[2] === 'again').length).toBe(19));
  });

  it('a client may say 4 MB at once', async () => {
    const url = await connect((await startDocsExample('mux-adapter.md', 'chat.mjs')).url);
    const client = new WebSocket(url);
    let heard = 0;
    client.on('message', () => heard++);
    onTearDown(() => client.terminate());
    await once(client, 'open');
    for (let n = 0; n < 40; n++) client.send('x'.repeat(100_000));
    await eventually(() => expect(heard).toBe(40));
  });

  it('Socket.IO serves its own clients, events and binary ones', async () => {
    const url = await connect((await startDocsExample('mux-adapter.md', 'socket-io.mjs')).url);
    const client = io(`http://${new URL(url).host}`, { transports: ['websocket'], reconnection: false });
    onTearDown(() => void client.disconnect());
    await eventually(() => expect(client.connected).toBe(true));
    expect(await client.timeout(5_000).emitWithAck('hello', 'é')).toBe('hello, é');
    expect(await client.timeout(5_000).emitWithAck('hello', Buffer.from('bytes'))).toBe('hello, bytes');
  });

  describe('graphql-ws', () => {
    let url = '';
    let output: () => string;
    beforeAll(async () => {
      const backend = await startFixture('mux-graphql-server.mjs');
      output = () => backend.output();
      url = await connect(backend.url);
    });

    const open = (
      options: { connectionParams?: Record<string, unknown>; keepAlive?: number } = {},
    ): Client => {
      const client = createClient({
        url,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazy: false,
        onNonLazyError: () => undefined,
        ...options,
      });
      onTearDown(() => client.dispose());
      return client;
    };

    it('of the page answers queries and subscriptions', async () => {
      const page = await connect((await startDocsExample('mux-adapter.md', 'graphql.mjs')).url);
      const client = createClient({ url: page, webSocketImpl: WebSocket, retryAttempts: 0 });
      onTearDown(() => client.dispose());
      expect(await collect(client, '{ hello }')).toEqual([{ hello: 'world' }]);
      expect(await collect(client, 'subscription { count(to: 3) }')).toEqual(
        [1, 2, 3].map((count) => ({ count })),
      );
    });

    it('answers many clients at once, each its own', async () => {
      const clients = Array.from({ length: 25 }, () => open());
      const counted = await Promise.all(
        clients.map((client, n) => collect(client, `subscription { count(to: ${n + 1}) }`)),
      );
      expect(counted.map((counts) => counts.length)).toEqual(clients.map((_, n) => n + 1));
    });

    it('ends a subscription that its client ends', async () => {
      const client = open();
      const subscription = client.iterate<{ ticks: number }>({ query: 'subscription { ticks }' });
      for await (const { data } of subscription) if (data!.ticks === 3) break;
      await eventually(() => expect(output()).toMatch(/ticks over/));
      const leaving = client.iterate({ query: 'subscription { ticks }' });
      await leaving.next();
      client.terminate();
      await eventually(() => expect(output().match(/ticks over/g)!.length).toBeGreaterThan(1));
    });

    it('reports errors, and closes with its own codes', async () => {
      const late = new WebSocket(url, 'graphql-transport-ws');
      const lateClose = once(late, 'close');
      const client = open();
      await expect(collect(client, '{ nothing }')).rejects.toMatchObject([{ message: /nothing/ }]);
      const raw = new WebSocket(url, 'graphql-transport-ws');
      await once(raw, 'open');
      raw.send('not JSON');
      expect(await once(raw, 'close')).toEqual([
        CloseCode.BadRequest,
        Buffer.from('Invalid message received'),
      ]);
      const early = new WebSocket(url, 'graphql-transport-ws');
      await once(early, 'open');
      early.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ hello }' } }));
      expect((await once(early, 'close'))[0]).toBe(CloseCode.Unauthorized);
      const twice = new WebSocket(url, 'graphql-transport-ws');
      await once(twice, 'open');
      twice.send('{"type":"connection_init"}');
      twice.send('{"type":"connection_init"}');
      expect((await once(twice, 'close'))[0]).toBe(CloseCode.TooManyInitialisationRequests);
      const forbidden = open({ connectionParams: { forbidden: true } });
      await expect(collect(forbidden, '{ hello }')).rejects.toMatchObject({ code: CloseCode.Forbidden });
      expect((await lateClose)[0]).toBe(CloseCode.ConnectionInitialisationTimeout);
    });

    it('keeps alive what answers its pings', async () => {
      const client = open({ keepAlive: 50 });
      const ticks = client.iterate<{ ticks: number }>({ query: 'subscription { ticks }' });
      // Its server pings every second, and cuts off whoever has not answered by the next.
      await eventually(async () => {
        expect((await ticks.next()).done).toBe(false);
        expect(output().match(/pong/g)?.length).toBeGreaterThan(1);
      });
      await ticks.return!();
    });
  });
});

it('what a backend throws at one client is for its process, and nothing to the others', async () => {
  const backend = await startFixture('mux-echo-server.mjs');
  const gateway = await MuxGateway.connect(backend.url);
  const clients = await Promise.all([gateway.accepted(), gateway.accepted()]);
  // All in one message, so that the others come behind what is thrown.
  gateway.send(
    muxFrame(MUX.text, clients[0].id, 'throw'),
    openFrame(3, { path: '/throw' }),
    openFrame(4),
    muxFrame(MUX.text, clients[1].id, 'unharmed'),
  );
  await eventually(() => expect(clients[1].messages).toEqual(['unharmed']));
  await eventually(() => expect(gateway.frames(4).map(({ type }) => type)).toEqual([MUX.accept]));
  await eventually(() => {
    expect(backend.output()).toMatch('uncaught: at a message');
    expect(backend.output()).toMatch('uncaught: at a connection');
  });
});

async function collect(client: Client, query: string): Promise<unknown[]> {
  const results: unknown[] = [];
  for await (const { data, errors } of client.iterate({ query })) {
    if (errors !== undefined) throw errors as unknown as Error;
    results.push(data);
  }
  return results;
}

/** A gateway whose Socket.IO path leads to the backend too. */
function startWsluice(backendUrl: string): Promise<{ url: string }> {
  const paths = ['/ws', '/socket.io/'];
  return startGateway({
    config: {
      routes: paths.map((path) => ({ path, pool: 'main' })),
      pools: { main: { mode: 'mux', upstreams: [backendUrl] } },
    },
  });
}
