import { describe, expect, it } from 'vitest';
import { completeConfig } from '../config/load.ts';
import type { ConfigInput } from '../config/schema.ts';
import { demandOf } from './demand.ts';

const of = (input: ConfigInput): ReturnType<typeof demandOf> => demandOf(completeConfig(input));
const main = (pool: object): ConfigInput => ({
  pools: { main: { upstreams: ['ws://10.0.0.1:9001'], ...pool } },
});

describe('what clients take', () => {
  it('is a file each with the embedded backend', () => {
    const demand = of({});
    expect(demand).toMatchObject({
      wanted: 16_000,
      filesPerClient: 1,
      tcpPerClient: 1,
      sharedConnections: 0,
    });
    expect(demand.addresses).toBeUndefined();
    expect(demand.served).toBe(Infinity);
  });

  it('is two files in session mode, and a port for each address', () => {
    const upstreams = ['ws://10.0.0.1:9001/a', 'ws://10.0.0.1:9001/b', 'ws://10.0.0.1', 'ws://10.0.0.2'];
    expect(of(main({ upstreams, minConnections: 7 }))).toMatchObject({
      filesPerClient: 2,
      tcpPerClient: 2,
      sharedConnections: 7,
      addresses: { pool: 'main', count: 3 },
      served: 1_000,
    });
  });

  it('is two files, but no port, over a unix socket', () => {
    const demand = of(main({ upstreams: ['ws+unix:/run/backend.sock'] }));
    expect(demand).toMatchObject({ filesPerClient: 2, tcpPerClient: 1 });
    expect(demand.addresses).toBeUndefined();
  });

  it.each([
    ['request', Infinity],
    ['mux', 40 * 4_096],
  ] as const)('is a file each in %s mode, and what the pool shares', (mode, served) => {
    expect(of(main({ mode, maxConnections: 40 }))).toMatchObject({
      filesPerClient: 1,
      tcpPerClient: 1,
      sharedConnections: 40,
      served,
    });
  });

  it('grows with TLS on either side and with permessage-deflate', () => {
    const plain = of({}).bytesPerClient;
    expect(of({ listen: { permessageDeflate: 'shared' } }).bytesPerClient).toBeGreaterThan(plain);
    expect(of({ listen: { permessageDeflate: 'dedicated-4KB' } }).bytesPerClient).toBeGreaterThan(plain * 5);
    const session = of(main({})).bytesPerClient;
    expect(session).toBeGreaterThan(plain);
    expect(of(main({ upstreams: ['wss://10.0.0.1'] })).bytesPerClient).toBeGreaterThan(session * 2);
  });

  it('is that of the dearest pool, of those that a route leads to', () => {
    const pools: ConfigInput['pools'] = {
      cheap: { mode: 'request', upstreams: ['ws://10.0.0.1'], maxConnections: 10 },
      dear: { mode: 'session', upstreams: ['ws://10.0.0.2'], maxConnections: 50 },
      unused: { mode: 'request', upstreams: ['ws://10.0.0.3'], maxConnections: 900 },
    };
    const routes = [{ path: '/cheap', pool: 'cheap' }];
    expect(of({ pools, routes })).toMatchObject({ filesPerClient: 1, sharedConnections: 10 });
    expect(of({ pools, routes: [...routes, { path: '/dear', pool: 'dear' }] })).toMatchObject({
      filesPerClient: 2,
      sharedConnections: 10,
      ownConnections: 50,
      served: Infinity,
    });
  });
});
