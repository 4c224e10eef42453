import { io, type Socket } from 'socket.io-client';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { onTearDown } from './support/tear-down.ts';

const CLIENTS = 500;
const ROOMS = 10;

describe('a Socket.IO server behind session mode', () => {
  let gateway: Gateway;
  let clients: Socket[];

  beforeAll(async () => {
    const server = await startFixture('socket-io-server.mjs');
    gateway = await startGateway({
      config: {
        routes: [{ path: '/socket.io/', pool: 'main' }],
        pools: { main: { mode: 'session', upstreams: [`${server.url}/socket.io/`], minConnections: 4 } },
      },
    });
    clients = [];
    for (let n = 0; n < CLIENTS; n += 100)
      clients.push(...(await Promise.all(Array.from({ length: 100 }, (_, i) => openSocket(gateway, n + i)))));
  });

  it('serves 500 of its own clients, unchanged: events with answers, each its own, binary ones too', async () => {
    const answers = await Promise.all(
      clients.map(
        (client, n) =>
          client.emitWithAck('echo', { n, bytes: Buffer.from([n & 255, 0, 255]) }) as Promise<unknown>,
      ),
    );
    expect(answers).toEqual(clients.map((_client, n) => ({ n, bytes: Buffer.from([n & 255, 0, 255]) })));
    expect((await gateway.metrics()).sum('wsluice_pool_connections', { state: 'busy' })).toBe(CLIENTS);
  });

  it('reaches each member of a room, and nobody else', async () => {
    const heard = clients.map((): string[] => []);
    clients.forEach((client, n) => client.on('said', (words: string) => heard[n]!.push(words)));
    await Promise.all(
      clients.map((client, n) => client.emitWithAck('join', `room ${n % ROOMS}`) as Promise<unknown>),
    );
    for (let room = 0; room < ROOMS; room++) clients[room]!.emit('say', `room ${room}`, `hello ${room}`);
    await eventually(() => expect(heard).toEqual(clients.map((_client, n) => [`hello ${n % ROOMS}`])));
  });

  it('and they part in both directions', async () => {
    const left = new Promise((resolve) => clients[0]!.once('disconnect', resolve));
    clients[0]!.emit('leave');
    expect(await left).toBe('io server disconnect');
    for (const client of clients) client.disconnect();
    await eventually(async () => {
      const page = await gateway.metrics();
      expect(page.sum('websocket_connections_total')).toBe(0);
      expect(page.sum('wsluice_pool_connections', { state: 'busy' })).toBe(0);
    });
  });
});

function openSocket(gateway: Gateway, n: number): Promise<Socket> {
  const socket = io(`http://127.0.0.1:${gateway.port}`, {
    transports: ['websocket'],
    forceNew: true,
    reconnection: false,
    auth: { n },
  });
  onTearDown(() => void socket.disconnect());
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve(socket));
    socket.once('connect_error', reject);
  });
}
