import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js';
import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ProgressNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';

const CLIENTS = 500;

describe.each([
  { mode: 'session', mostConnections: CLIENTS },
  { mode: 'mux', mostConnections: 4 },
])('an MCP server behind $mode mode', ({ mode, mostConnections }) => {
  let gateway: Gateway;
  let clients: Client[];

  beforeAll(async () => {
    const server = await startFixture('mcp-server.mjs');
    gateway = await startGateway({
      args: ['--mode', mode, '--upstream', server.url, '--max-connections', String(mostConnections)],
    });
    clients = [];
    for (let n = 0; n < CLIENTS; n += 100)
      clients.push(...(await Promise.all(Array.from({ length: 100 }, (_, i) => openClient(gateway, n + i)))));
  });

  it('serves 500 clients of the SDK: each has its own session, and its own answers', async () => {
    expect((await gateway.metrics()).sum('wsluice_pool_connections')).toBeLessThanOrEqual(mostConnections);
    expect(clients[0]!.getServerVersion()).toMatchObject({ name: 'fixture' });
    const sums = await Promise.all(clients.map((client, n) => call(client, 'add', { a: n, b: 1_000 })));
    expect(sums).toEqual(clients.map((_client, n) => String(n + 1_000)));
    for (const count of ['1', '2'])
      expect(await Promise.all(clients.map((client) => call(client, 'calls')))).toEqual(
        clients.map(() => count),
      );
  });

  it('lists tools, and tells of those that fail or are not there', async () => {
    const { tools } = await clients[0]!.listTools();
    expect(tools.map(({ name }) => name)).toEqual(['add', 'calls', 'fail', 'count', 'ask']);
    expect(await clients[0]!.callTool({ name: 'fail' })).toMatchObject({
      isError: true,
      content: [{ text: 'it failed' }],
    });
    expect(await clients[0]!.callTool({ name: 'no such tool' })).toMatchObject({ isError: true });
  });

  it('tells its progress to the one who asked, though all of them use the same token', async () => {
    const counting = clients.slice(0, 50);
    const heard = counting.map((): number[] => []);
    counting.forEach((client, n) =>
      client.setNotificationHandler(
        ProgressNotificationSchema,
        ({ params }) => void heard[n]!.push(params.progress),
      ),
    );
    const _meta = { progressToken: 1 };
    await Promise.all(
      counting.map((client, n) => client.callTool({ name: 'count', arguments: { to: 1 + (n % 7) }, _meta })),
    );
    const upTo = (to: number): number[] => Array.from({ length: to }, (_, i) => i + 1);
    await eventually(() => expect(heard).toEqual(counting.map((_client, n) => upTo(1 + (n % 7)))));
  });

  it('asks its clients in return, each its own', async () => {
    const asked = await Promise.all(
      clients.slice(0, 50).map((client) => call(client, 'ask', { question: 'who are you?' })),
    );
    expect(asked).toEqual(asked.map((_words, n) => `you said: client ${n}, asked: who are you?`));
  });

  it('is left in order', async () => {
    await Promise.all(clients.map((client) => client.close()));
    await eventually(async () => {
      const page = await gateway.metrics();
      expect(page.sum('websocket_connections_total')).toBe(0);
      expect(page.sum('wsluice_pool_connections', { state: 'busy' })).toBe(0);
    });
  });
});

async function openClient(gateway: Gateway, n: number): Promise<Client> {
  const client = new Client({ name: `client ${n}`, version: '1.0.0' }, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    const content = params.messages[0]!.content as { text: string };
    const text = `client ${n}, asked: ${content.text}`;
    return { role: 'assistant', model: 'none', content: { type: 'text', text } };
  });
  await client.connect(new WebSocketClientTransport(new URL(gateway.url)));
  onTearDown(() => client.close());
  return client;
}

async function call(client: Client, name: string, args: Record<string, unknown> = {}): Promise<string> {
  const { content } = CallToolResultSchema.parse(await client.callTool({ name, arguments: args }));
  const [only] = content;
  if (only?.type !== 'text') throw new Error(`not a text: ${JSON.stringify(content)}`);
  return only.text;
}
