import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startNginx } from './support/nginx.ts';
import { startSessionBackend } from './support/session-backend.ts';
import type { SessionBackend } from './support/session-backend.ts';

const PER_IP = 3;

describe('two gateways behind nginx with least_conn', () => {
  let backend: SessionBackend;
  let gateways: Gateway[];
  let url: string;

  beforeAll(async () => {
    backend = await startSessionBackend({ handleProtocols: () => 'chat' });
    const config = {
      listen: { trustedProxies: ['127.0.0.1/32'], maxConnectionsPerIp: PER_IP },
      pools: { main: { mode: 'session', upstreams: [backend.url] } },
    };
    gateways = await Promise.all([startGateway({ config }), startGateway({ config })]);
    url = `ws://127.0.0.1:${await startNginx(gateways.map(({ port }) => port))}/ws`;
  });

  it('share the clients, whose messages, subprotocols and close codes pass', async () => {
    const clients = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        connectClient(url, { localAddress: `127.0.2.${n + 1}`, protocols: ['chat'] }),
      ),
    );
    for (const client of clients) {
      client.send('hello');
      expect(await client.nextText()).toBe('hello');
      expect(client.socket.protocol).toBe('chat');
    }
    const shares = await Promise.all(
      gateways.map(async (gateway) => (await gateway.metrics()).sum('websocket_connections_total')),
    );
    expect(shares).toEqual([10, 10]);
    for (const [n, client] of clients.entries()) {
      client.send(`!close ${4000 + n} client ${n}`);
      expect(await client.closed).toEqual({ code: 4000 + n, reason: `client ${n}` });
    }
  });

  it('believe the address that nginx wrote, not the one that the client made up', async () => {
    const connect = (forged: string): ReturnType<typeof connectClient> =>
      connectClient(url, {
        localAddress: '127.0.3.1',
        headers: { 'X-Forwarded-For': forged, Authorization: 'Basic eDp5' },
      });
    for (let n = 0; n < 2 * PER_IP; n++) await connect(`6.6.6.${n}`);
    await expect(connect('6.6.6.99')).rejects.toThrow('refused with 429');
    expect(backend.upgrades.at(-1)?.headers['x-forwarded-for']).toMatch(/127\.0\.3\.1/);
  });

  it('are left by nginx when one of them drains: new clients all reach the other', async () => {
    const [staying, leaving] = gateways as [Gateway, Gateway];
    expect(await leaving.stop()).toBe(0);
    const before = (await staying.metrics()).sum('websocket_connections_total');
    for (let n = 0; n < 6; n++) await connectClient(url, { localAddress: `127.0.4.${n + 1}` });
    expect((await staying.metrics()).sum('websocket_connections_total')).toBe(before + 6);
  });
});
