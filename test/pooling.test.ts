import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client, Json } from './support/client.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';

const CLIENTS = 1_000;
const ROUNDS = 10;
const KILL_IN_ROUND = 5;
const MAX_CONNECTIONS = 8;

describe('1,000 clients that all use id 1', () => {
  let backends: JsonRpcBackend[];
  let gateway: Gateway;
  let clients: Client[];
  let peak = 0;

  beforeAll(async () => {
    const countPeak = (): void => {
      peak = Math.max(peak, ...[backends.reduce((sum, backend) => sum + backend.connectionsNow(), 0)]);
    };
    backends = [];
    for (const seed of [1, 2]) {
      backends.push(await startJsonRpcBackend({ shuffleEveryMs: 15, seed, onConnection: countPeak }));
    }
    gateway = await startGateway({
      config: {
        pools: {
          main: {
            mode: 'request',
            upstreams: backends.map((backend) => backend.url),
            minConnections: 4,
            maxConnections: MAX_CONNECTIONS,
            queue: { maxSize: 2_000, timeoutMs: 10_000 },
            reconnect: { baseDelayMs: 50 },
          },
        },
      },
    });
    clients = [];
    for (let n = 0; n < CLIENTS; n += 100) {
      clients.push(...(await Promise.all(Array.from({ length: 100 }, () => connectClient(gateway.url)))));
    }
  });

  it('get each their own reply or an error, over at most 8 upstream connections, while one backend is killed', async () => {
    const ends: { round: number; foreign: number; errors: number }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const replies = Promise.all(
        clients.map((client, n) =>
          client.call({ jsonrpc: '2.0', id: 1, method: 'echo', params: [secret(round, n)] }, 15_000),
        ),
      );
      if (round === KILL_IN_ROUND) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        await backends[1]!.stop();
      }
      const ended = await replies;
      ends.push({
        round,
        foreign: ended.filter((reply, n) => !isOwn(reply, secret(round, n))).length,
        errors: ended.filter((reply) => reply.error !== undefined).length,
      });
    }
    expect(
      ends.filter(({ foreign }) => foreign > 0),
      'rounds with a foreign byte or a wrong id',
    ).toEqual([]);
    const calm = ends.filter(({ round }) => round < KILL_IN_ROUND || round > KILL_IN_ROUND + 1);
    expect(
      calm.filter(({ errors }) => errors > 0),
      'rounds with an error and no reason for one',
    ).toEqual([]);
    expect(
      clients.map((client) => client.waiting()).filter((count) => count > 0),
      'second replies',
    ).toEqual([]);
    expect(peak, 'upstream connections at once').toBeLessThanOrEqual(MAX_CONNECTIONS);
    expect(peak).toBeGreaterThan(1);
    const ledger = await expectBalanced(gateway);
    expect(ledger.accepted).toBe(CLIENTS * ROUNDS);
    expect(ledger.errored).toBe(ends.reduce((sum, { errors }) => sum + errors, 0));
  });

  it('that leave without waiting are counted as abandoned', async () => {
    const before = await expectBalanced(gateway);
    const leaving = clients.splice(0, 100);
    for (const client of leaving)
      client.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['not read'] });
    for (const client of leaving) client.send({ jsonrpc: '2.0', id: 2, method: 'late', params: { ms: 300 } });
    await Promise.all(leaving.map((client) => client.next()));
    for (const client of leaving) client.socket.terminate();
    const after = await expectBalanced(gateway);
    expect(after.accepted - before.accepted).toBe(200);
    expect(after.abandoned - before.abandoned).toBe(100);
    const heard = await clients[0]!.call({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['still here'] });
    expect(heard).toMatchObject({ id: 1, result: ['still here'] });
  });
});

function secret(round: number, client: number): string {
  return `secret of client ${client} in round ${round}`;
}

function isOwn(reply: Json, expected: string): boolean {
  return reply.id === 1 && (reply.error !== undefined || isDeepStrictEqual(reply.result, [expected]));
}
