import { describe, expect, it } from 'vitest';
import { ClientList } from './client-list.ts';
import type { Connection } from './connection.ts';

const dismissed: number[] = [];
const logged: unknown[] = [];

function client(id: number, { route = '/ws', identity = '10.0.0.1' } = {}): Connection {
  const fields = {
    id,
    keys: { ip: '10.0.0.1', identity, route },
    openedAtMs: 1_000 + id,
    messagesReceived: 2 * id,
    bytesReceived: 20 * id,
    messagesSent: 1,
    bytesSent: 10,
    codec: id === 2 ? 'zstd' : null,
    requestId: id === 2 ? 'r-2' : '',
    dismiss: () => dismissed.push(id),
    figures: () => ({ inFlight: id, waiting: 0 }),
  };
  return fields as unknown as Connection;
}

function listOf(...clients: Connection[]): ClientList {
  return new ClientList({
    clients: new Set(clients),
    poolOfRoute: new Map([
      ['/ws', 'main'],
      ['/b', 'other'],
    ]),
    hashOf: (identity) => `hash of ${identity}`,
    now: () => 5_000,
    log: { info: (data: unknown) => void logged.push(data) },
    wallClockMs: () => Date.parse('2030-01-01T00:00:05Z'),
  });
}

describe('the client list', () => {
  it('reports all there is to know of a client', () => {
    expect(listOf(client(2, { identity: 'id me' })).page({ offset: 0, limit: 10 }).clients).toEqual([
      {
        id: 2,
        address: '10.0.0.1',
        identity: 'hash of id me',
        route: '/ws',
        pool: 'main',
        connectedAt: '2030-01-01T00:00:01.002Z',
        messages: { received: 4, sent: 1 },
        bytes: { received: 40, sent: 10 },
        inFlight: 2,
        waiting: 0,
        codec: 'zstd',
        requestId: 'r-2',
      },
    ]);
  });

  it('puts those first that have most of what it is sorted by, the older of equals', () => {
    const list = listOf(client(3), client(1), client(2), client(3));
    const idsBy = (sort: 'messages' | 'bytes' | 'inFlight', offset: number, limit: number) =>
      list.page({ offset, limit, sort }).clients.map(({ id }) => id);
    for (const sort of ['messages', 'bytes', 'inFlight'] as const) {
      expect(idsBy(sort, 0, 10)).toEqual([3, 3, 2, 1]);
      expect(idsBy(sort, 1, 2)).toEqual([3, 2]);
      expect(idsBy(sort, 1e9, 1_000)).toEqual([]);
    }
    expect(list.page({ offset: 0, limit: 1, sort: 'bytes' }).total).toBe(2 + 2);
  });

  it('has no identity for who does not say one', () => {
    expect(listOf(client(1)).page({ offset: 0, limit: 1 }).clients[0]?.identity).toBeNull();
  });

  it('goes page by page, the oldest first, and says how many there are', () => {
    const list = listOf(...[1, 2, 3, 4, 5].map((id) => client(id)));
    const ids = (offset: number, limit: number): number[] =>
      list.page({ offset, limit }).clients.map(({ id }) => id);
    expect([ids(0, 2), ids(2, 2), ids(4, 2), ids(6, 2)]).toEqual([[1, 2], [3, 4], [5], []]);
    expect(list.page({ offset: 4, limit: 2 })).toMatchObject({ total: 5, offset: 4, limit: 2 });
  });

  it('closes a client by its id, with a line in the log', () => {
    const list = listOf(client(1), client(3));
    expect([list.dismiss(3), list.dismiss(2)]).toEqual([true, false]);
    expect([dismissed, logged]).toEqual([[3], [{ client: 3 }]]);
  });

  it('counts by pool', () => {
    const list = listOf(client(1), client(3), client(4, { route: '/b' }));
    expect([...list.countByPool()]).toEqual([
      ['main', 2],
      ['other', 1],
    ]);
  });
});
