import { describe, expect, it } from 'vitest';
import { ask, openAdmin } from './admin.fixture.ts';
import type { ClientsControl, PageRequest } from './clients-control.ts';

class TestClients implements ClientsControl {
  readonly asked: PageRequest[] = [];
  readonly dismissed: number[] = [];

  page(which: PageRequest): ReturnType<ClientsControl['page']> {
    this.asked.push(which);
    const { offset, limit } = which;
    return { total: 7, offset, limit, clients: [] };
  }

  dismiss(id: number): boolean {
    this.dismissed.push(id);
    return id === 7;
  }
}

async function start(): Promise<{ port: number; clients: TestClients }> {
  const clients = new TestClients();
  return { port: (await openAdmin({ clients })).port, clients };
}

describe('GET /api/clients', () => {
  it('gives the first hundred unless it is asked otherwise', async () => {
    const { port, clients } = await start();
    const { status, headers, body } = await ask(port, '/api/clients');
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({ total: 7, offset: 0, limit: 100, clients: [] });
    await ask(port, '/api/clients?limit=1000&offset=20000');
    expect(clients.asked[1]).toEqual({ offset: 20_000, limit: 1_000 });
  });

  it('sorts by what it is asked to', async () => {
    const { port, clients } = await start();
    for (const sort of ['messages', 'bytes', 'inFlight']) {
      expect((await ask(port, `/api/clients?sort=${sort}&limit=5`)).status).toBe(200);
    }
    expect(clients.asked).toEqual([
      { offset: 0, limit: 5, sort: 'messages' },
      { offset: 0, limit: 5, sort: 'bytes' },
      { offset: 0, limit: 5, sort: 'inFlight' },
    ]);
  });

  it.each([
    ['sort=', 1],
    ['sort=id', 1],
    ['sort=Messages', 1],
    ['sort=__proto__&limit=0', 2],
    ['limit=0', 1],
    ['limit=1001', 1],
    ['limit=', 1],
    ['limit=1e2', 1],
    ['limit=-1&offset=-1', 2],
    ['offset=0x10', 1],
    ['offset=99999999999', 1],
  ])('answers 400 to ?%s, with %i faults', async (query, faults) => {
    const { port, clients } = await start();
    const { status, body } = await ask(port, `/api/clients?${query}`);
    expect([status, (JSON.parse(body) as { faults: string[] }).faults.length]).toEqual([400, faults]);
    expect(clients.asked).toEqual([]);
  });
});

describe('DELETE /api/clients/<id>', () => {
  it('closes that client', async () => {
    const { port, clients } = await start();
    const { status, body } = await ask(port, '/api/clients/7', {}, 'DELETE');
    expect([status, JSON.parse(body), clients.dismissed]).toEqual([200, { id: 7, closed: true }, [7]]);
  });

  it.each(['8', '0', '-7', '7.0', '07x', '__proto__', '99999999999999999999', '%37'])(
    'answers 404 to the id %s',
    async (id) => {
      const { port } = await start();
      const { status, body } = await ask(port, `/api/clients/${id}`, {}, 'DELETE');
      expect([status, JSON.parse(body)]).toEqual([404, { faults: ['no client with this id is connected'] }]);
    },
  );

  it('is the only thing that can be done there', async () => {
    const { port, clients } = await start();
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH']) {
      const { status, headers } = await ask(port, '/api/clients/7', {}, method);
      expect([method, status, headers['allow']]).toEqual([method, 405, 'DELETE']);
    }
    expect((await ask(port, '/api/clients', {}, 'DELETE')).headers['allow']).toBe('GET, HEAD');
    expect(clients.dismissed).toEqual([]);
  });

  it('is not for pages of another origin, nor for another Host', async () => {
    const { port, clients } = await start();
    const origin = { origin: 'http://evil.example' };
    expect((await ask(port, '/api/clients/7', origin, 'DELETE')).status).toBe(403);
    expect((await ask(port, '/api/clients/7', { host: 'evil.example' }, 'DELETE')).status).toBe(403);
    expect(clients.dismissed).toEqual([]);
  });
});
