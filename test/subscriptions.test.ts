import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, type Client, type Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { expectBalanced } from './support/ledger.ts';
import { startSubscriptionBackend, type SubscriptionBackend } from './support/subscription-backend.ts';

const CLIENTS = 200;
const CONNECTIONS = 4;

let backend: SubscriptionBackend;
let shared: SubscriptionBackend;
let mortal: SubscriptionBackend;
let gateway: Gateway;

beforeAll(async () => {
  [backend, shared, mortal] = await Promise.all([
    startSubscriptionBackend(),
    startSubscriptionBackend(),
    startSubscriptionBackend(),
  ]);
  const pool = (upstream: string, subscriptions: unknown): Record<string, unknown> => ({
    mode: 'request',
    upstreams: [upstream],
    minConnections: CONNECTIONS,
    maxConnections: CONNECTIONS,
    reconnect: { baseDelayMs: 20, maxDelayMs: 100 },
    breaker: { resetTimeoutMs: 100 },
    subscriptions,
  });
  gateway = await startGateway({
    config: {
      routes: ['main', 'shared', 'mortal'].map((name) => ({ path: `/${name}`, pool: name })),
      pools: {
        main: pool(backend.url, 'ethereum'),
        shared: {
          ...pool(shared.url, { presets: ['ethereum'], coalesce: true }),
          coalesceMethods: ['eth_call'],
        },
        mortal: pool(mortal.url, { presets: ['ethereum'], restoreTimeoutMs: 300 }),
      },
    },
  });
});

interface Event {
  readonly params: { readonly subscription: string; readonly result: unknown };
}

/** A client, the id of its one subscription, and every event it got. */
interface Listener {
  readonly client: Client;
  readonly id: string;
  readonly events: Event[];
}

async function listen(path: string, topic: string): Promise<Listener> {
  const client = await connectClient(gateway.at(path));
  const events: Event[] = [];
  const reply = await client.call({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: [topic] });
  // What has come since the reply is waiting.
  while (client.waiting() > 0) events.push(asEvent(await client.nextJson()));
  client.socket.on('message', () => void client.nextJson().then((message) => events.push(asEvent(message))));
  return { client, id: reply.result as string, events };
}

function asEvent(message: Json): Event {
  return message as unknown as Event;
}

const results = ({ events }: Listener): unknown[] => events.map(({ params }) => params.result);

async function subscriptionsOf(pool: string, side: 'client' | 'upstream'): Promise<number> {
  return (await gateway.metrics()).sum('wsluice_subscriptions', { pool, side });
}

describe('subscriptions', () => {
  it(`of ${CLIENTS} clients over ${CONNECTIONS} connections outlive their connections, and nobody hears another’s`, async () => {
    const listeners = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) => listen('/main', `topic ${index}`)),
    );
    const publish = (round: number): void => {
      listeners.forEach((_, index) => backend.publish(`topic ${index}`, `event ${round} of ${index}`));
    };
    const expectEvents = (rounds: readonly number[]): Promise<void> =>
      eventually(() => {
        listeners.forEach((listener, index) => {
          const own = results(listener).filter((result) => !String(result).startsWith('welcome'));
          expect(own).toEqual(rounds.map((round) => `event ${round} of ${index}`));
        });
      });
    expect(backend.topics()).toHaveLength(CLIENTS);
    expect(backend.connectionsPeak()).toBeLessThanOrEqual(CONNECTIONS);
    publish(1);
    await expectEvents([1]);
    backend.kill();
    await eventually(async () => expect(await subscriptionsOf('main', 'upstream')).toBe(CLIENTS));
    publish(2);
    await expectEvents([1, 2]);
    listeners.forEach(({ id, events }, index) => {
      expect(new Set(events.map(({ params }) => params.subscription))).toEqual(new Set([id]));
      const welcomes = events.filter(({ params }) => params.result === `welcome to topic ${index}`);
      expect(welcomes, 'the first event of each upstream subscription').toHaveLength(2);
      expect(events).toHaveLength(4);
    });
    const [leaver, other] = listeners;
    const refused = connectClient(gateway.at('/main')).then((thief) =>
      thief.call({ jsonrpc: '2.0', id: 1, method: 'eth_unsubscribe', params: [other!.id] }),
    );
    expect((await refused).result).toBe(false);
    await leaver!.client.close();
    await eventually(() => expect(backend.topics()).toHaveLength(CLIENTS - 1));
    await Promise.all(listeners.map(({ client }) => client.close()));
    await eventually(() => expect(backend.topics()).toEqual([]));
    expect(await subscriptionsOf('main', 'client')).toBe(0);
    await expectBalanced(gateway);
  });

  it('that are alike live upstream once, and so do calls', async () => {
    const listeners = await Promise.all(Array.from({ length: 50 }, () => listen('/shared', 'newHeads')));
    expect(shared.topics()).toEqual(['newHeads']);
    shared.publish('newHeads', 'block');
    await eventually(() => {
      for (const listener of listeners) expect(results(listener)).toContain('block');
    });
    const callers = await Promise.all(listeners.map(() => connectClient(gateway.at('/shared'))));
    const call = { jsonrpc: '2.0', id: 'x', method: 'eth_call', params: ['same'] };
    for (const caller of callers) caller.send(call);
    for (const caller of callers)
      expect(await caller.nextJson()).toMatchObject({ id: 'x', result: ['same'] });
    const { length } = callers;
    expect((await gateway.metrics()).sum('wsluice_coalesced_total')).toBe(length - shared.calls('eth_call'));
    await Promise.all(listeners.map(({ client }) => client.close()));
    await eventually(() => expect(shared.topics()).toEqual([]));
    await expectBalanced(gateway);
  });

  it('outlive a restart of their only backend during a pause, however long it takes', async () => {
    const operate = async (what: string): Promise<number> =>
      (await fetch(`${gateway.adminUrl}/api/pools/mortal/${what}`, { method: 'POST' })).status;
    const listener = await listen('/mortal', 'newHeads');
    expect(await operate('pause')).toBe(200);
    await mortal.stop();
    // More than twice the time in which they have to be restored, where there is no pause.
    await sleep(700);
    await mortal.start();
    expect(await operate('resume')).toBe(200);
    await eventually(() => {
      mortal.publish('newHeads', 'after the pause');
      expect(results(listener)).toContain('after the pause');
    });
    await listener.client.close();
  });

  it('that cannot be restored are no secret: their client is closed with 1012', async () => {
    const { client } = await listen('/mortal', 'newHeads');
    const bystander = await connectClient(gateway.at('/mortal'));
    await mortal.stop();
    expect(await client.closed).toMatchObject({ code: 1012 });
    await mortal.start();
    await eventually(async () => {
      const reply = await bystander.call({
        jsonrpc: '2.0',
        id: 1,
        method: 'eth_call',
        params: ['still here'],
      });
      expect(reply.result).toEqual(['still here']);
    });
  });
});
