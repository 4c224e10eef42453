import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startMuxBackend, type MuxBackend } from './support/mux-backend.ts';
import { clientsPage } from './support/operations-api.ts';
import { startSessionBackend, type SessionBackend } from './support/session-backend.ts';

const WARM = 2;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const trace = {
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  tracestate: 'vendor=opaque',
};

let session: SessionBackend;
let warm: SessionBackend;
let mux: MuxBackend;
let gateway: Gateway;

beforeAll(async () => {
  [session, warm, mux] = await Promise.all([startSessionBackend(), startSessionBackend(), startMuxBackend()]);
  gateway = await startGateway({
    config: {
      log: { level: 'debug' },
      routes: ['session', 'warm', 'mux'].map((name) => ({ path: `/${name}`, pool: name })),
      pools: {
        session: { upstreams: [session.url] },
        warm: { upstreams: [warm.url], minConnections: WARM },
        mux: { mode: 'mux', upstreams: [mux.url] },
      },
    },
  });
});

const told = (backend: SessionBackend): Record<string, unknown> => ({ ...backend.upgrades.at(-1)?.headers });

describe('the request id and the trace of a client', () => {
  it('go to its upstream connection, to the log and to the list of clients', async () => {
    const client = await connectClient(gateway.at('/session'), {
      headers: { 'X-Request-Id': 'order-17', ...trace },
    });
    expect(told(session)).toMatchObject({ 'x-request-id': 'order-17', ...trace });
    const { clients } = await clientsPage(gateway);
    const [shown] = clients.filter(({ requestId }) => requestId === 'order-17');
    expect(shown).toMatchObject({ route: '/session' });
    await client.close(1000);
    await eventually(() => {
      const lines = gateway.logs().filter(({ client: id }) => id === shown!.id);
      expect(lines.map(({ msg }) => msg)).toEqual(['client connected', 'client left']);
      for (const line of lines) expect(line).toMatchObject({ requestId: 'order-17' });
    });
  });

  it('go with the stream in mux mode', async () => {
    const client = await connectClient(gateway.at('/mux'), {
      headers: { 'X-Request-Id': 'order-18', ...trace },
    });
    const headers = Object.fromEntries(mux.openings.at(-1)!.headers);
    expect(headers).toMatchObject({ 'x-request-id': 'order-18', ...trace });
    await client.close(1000);
  });

  it('are made, but for the trace, where each client has an upstream connection or stream of its own', async () => {
    const clients = await Promise.all(
      ['/session', '/mux'].map((path) =>
        connectClient(gateway.at(path), { headers: { 'X-Request-Id': 'a b' } }),
      ),
    );
    const ids = (await clientsPage(gateway)).clients.map(({ requestId }) => requestId);
    expect(ids).toEqual([expect.stringMatching(uuid), expect.stringMatching(uuid)]);
    const known = [
      told(session)['x-request-id'],
      Object.fromEntries(mux.openings.at(-1)!.headers)['x-request-id'],
    ];
    expect(new Set(known)).toEqual(new Set(ids));
    expect(told(session)).not.toHaveProperty('traceparent');
    for (const client of clients) await client.close(1000);
  });

  it('cost a client that has one its warm connection, and one that has none keeps it', async () => {
    await eventually(() => expect(warm.connectionsNow()).toBe(WARM));
    const dialled = warm.upgrades.length;
    const plain = await connectClient(gateway.at('/warm'));
    plain.send('hello');
    expect(await plain.nextText()).toBe('hello');
    expect(warm.upgrades.every(({ headers }) => headers['x-request-id'] === undefined)).toBe(true);
    const named = await connectClient(gateway.at('/warm'), { headers: { 'X-Request-Id': 'order-19' } });
    expect(warm.upgrades.slice(dialled).map(({ headers }) => headers['x-request-id'])).toContain('order-19');
    await plain.close(1000);
    await named.close(1000);
  });
});
