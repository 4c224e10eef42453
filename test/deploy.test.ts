import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { startAskers } from './support/askers.ts';
import type { Backend } from './support/backend.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { startMuxBackend } from './support/mux-backend.ts';
import { mainPool, operate } from './support/operations-api.ts';

const clientCount = 1_000;
const connections = 4;

/** A backend of the mode, and how many requests it has got. */
interface Deployed {
  readonly backend: Backend;
  readonly requests: () => number;
}

async function requestBackend(): Promise<Deployed> {
  const backend = await startJsonRpcBackend();
  return { backend, requests: () => backend.received.length };
}

async function muxBackend(): Promise<Deployed> {
  let requests = 0;
  const backend = await startMuxBackend({
    onMessage: (stream, data) => {
      requests++;
      const { id, params } = JSON.parse(data.toString()) as { id: number; params: unknown };
      stream.send(JSON.stringify({ jsonrpc: '2.0', id, result: params }));
    },
  });
  return { backend, requests: () => requests };
}

it.each([
  ['request', requestBackend],
  ['mux', muxBackend],
])(
  'a deploy of the only backend, between pause and resume, is no error to any of 1,000 clients of %s mode that keep asking',
  async (mode, start) => {
    const { backend, requests } = await start();
    const main = { mode, upstreams: [backend.url], minConnections: connections, maxConnections: connections };
    const gateway = await startGateway({ config: { pools: { main } } });
    const askers = await startAskers(gateway.url, clientCount, 400);
    await eventually(() => expect(askers.replies()).toBeGreaterThan(clientCount), 20_000);
    for (let deploy = 0; deploy < 2; deploy++) {
      expect((await operate(gateway, 'pause')).status).toBe(200);
      const answered = requests();
      await backend.stop();
      // Long enough for nearly everybody to wait.
      await eventually(async () =>
        expect((await mainPool(gateway)).waiting).toBeGreaterThan(clientCount * 0.9),
      );
      expect(await mainPool(gateway)).toMatchObject({ clients: clientCount, inFlight: 0, healthy: true });
      await backend.start();
      await sleep(50);
      expect([requests(), backend.connectionsNow()]).toEqual([answered, 0]);
      expect((await operate(gateway, 'resume')).status).toBe(200);
      const served = askers.watch();
      await eventually(() => expect(served()).toBe(clientCount), 20_000);
    }
    expect(await askers.stop()).toEqual([]);
    expect(backend.connectionsPeak()).toBeLessThanOrEqual(connections);
    const { totals, clients } = await mainPool(gateway);
    expect([clients, totals.errored, totals.abandoned, totals.upstreamsLost]).toEqual([clientCount, 0, 0, 0]);
    expect(totals.accepted).toBe(totals.replied);
    expect((await gateway.metrics()).sum('websocket_errors_total')).toBe(0);
  },
  90_000,
);
