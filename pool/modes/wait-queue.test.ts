import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plainMethod } from '../jsonrpc/method-table.ts';
import { Request } from '../jsonrpc/request.ts';
import { Priority } from '../waiting/priority.ts';
import { PriorityRings } from '../waiting/priority-rings.ts';
import type { Channel, Requester } from './channel.ts';
import { WaitingRequests } from './waiting-requests.ts';
import { WaitQueue, type WaitQueueLimits } from './wait-queue.ts';

const limits: WaitQueueLimits = {
  maxSize: 100_000,
  maxBytes: 10_000_000,
  maxBytesPerClient: 1_000_000,
  priority: { high: 3, medium: 2, low: 1 },
};

/** As much of a client and of a channel as the queue knows. */
function newClient(priority: Priority = Priority.medium): Requester {
  return {
    waiting: new WaitingRequests(),
    heldUntilMs: 0,
    priority,
    channel: undefined,
  } as Partial<Requester> as Requester;
}

function newChannel(): Channel {
  return { waiting: new PriorityRings(), favoursBound: 0b111 } as Partial<Channel> as Channel;
}

function newRequest(id: number, priority?: Priority, bytes = 10): Request {
  const request = new Request();
  request.bytes = request.id = Buffer.from(String(id));
  request.end = bytes;
  request.idEnd = request.id.length;
  request.cutStart = 0;
  request.idHash = id;
  request.traits = { ...plainMethod, priority };
  request.queueDeadlineMs = 1_000 + id;
  return request;
}

/** Serves one request of the channel's turn, as request mode does. */
function serve(queue: WaitQueue, channel: Channel): { client: Requester; request: Request } | undefined {
  const client = queue.next(channel);
  if (client === undefined) return undefined;
  const request = queue.shift(client);
  queue.place(client);
  return { client, request };
}

function fill(queue: WaitQueue, client: Requester, count: number): Requester {
  for (let id = 0; id < count; id++) queue.push(client, newRequest(id));
  return client;
}

describe('WaitQueue', () => {
  it('serves the classes by weight and the clients of a class in turn', () => {
    const queue = new WaitQueue(limits);
    const channel = newChannel();
    const clients = [
      { client: fill(queue, newClient(Priority.high), 500), turns: 150 },
      { client: fill(queue, newClient(Priority.high), 200), turns: 150 },
      { client: fill(queue, newClient(Priority.medium), 500), turns: 200 },
      { client: fill(queue, newClient(Priority.low), 500), turns: 50 },
      { client: fill(queue, newClient(Priority.low), 60), turns: 50 },
    ];
    const served = Array.from({ length: 600 }, () => serve(queue, channel)!.client);
    for (const { client, turns } of clients)
      expect(served.filter((one) => one === client).length).toBe(turns);
  });

  it('keeps the order of a client, and lets all it has waiting go at the pace of the most urgent', () => {
    const queue = new WaitQueue(limits);
    const channel = newChannel();
    const mixed = newClient(Priority.low);
    const urgent = fill(queue, newClient(Priority.high), 10);
    queue.push(mixed, newRequest(1));
    queue.push(mixed, newRequest(2));
    queue.push(mixed, newRequest(3, Priority.high));
    queue.push(mixed, newRequest(4));
    const served = Array.from({ length: 6 }, () => serve(queue, channel)!);
    expect(served.map(({ client }) => client)).toEqual([urgent, mixed, urgent, mixed, urgent, mixed]);
    expect(served.filter(({ client }) => client === mixed).map(({ request }) => request.idHash)).toEqual([
      1, 2, 3,
    ]);
    expect(mixed.waiting.urgency).toBe(Priority.low);
  });

  it('bounds each class by a size of its own, and all by one, in bytes and for each client too', () => {
    const queue = new WaitQueue({
      maxSize: 4,
      maxBytes: 100,
      maxBytesPerClient: 50,
      priority: { high: 3, medium: 2, low: { weight: 1, maxSize: 1 } },
    });
    const client = newClient();
    queue.push(client, newRequest(1, Priority.low));
    expect(queue.hasRoomFor(client, newRequest(2, Priority.low))).toBe(false);
    expect(queue.hasRoomFor(newClient(Priority.low), newRequest(2))).toBe(false);
    expect(queue.hasRoomFor(client, newRequest(2))).toBe(true);
    expect(queue.hasRoomFor(client, newRequest(2, undefined, 41))).toBe(false);
    expect(queue.hasRoomFor(newClient(), newRequest(2, undefined, 91))).toBe(false);
    for (const id of [2, 3, 4]) queue.push(client, newRequest(id));
    expect(queue.hasRoomFor(newClient(), newRequest(5))).toBe(false);
    queue.forget(client);
    expect(queue.size).toBe(0);
    expect(queue.hasRoomFor(newClient(Priority.low), newRequest(5))).toBe(true);
  });

  it('gives a client back its own class when its urgent request has waited too long', () => {
    const queue = new WaitQueue(limits);
    const channel = newChannel();
    const mixed = newClient(Priority.low);
    queue.push(mixed, newRequest(7));
    queue.push(mixed, newRequest(1, Priority.high));
    fill(queue, newClient(Priority.medium), 9);
    expect(queue.expired(mixed, 1_001).map(({ idHash }) => idHash)).toEqual([1]);
    const order = Array.from({ length: 3 }, () => serve(queue, channel)!.client === mixed);
    expect(order).toEqual([false, true, false]);
  });

  it('holds a client back until its time, and sends nothing of it before', () => {
    const queue = new WaitQueue(limits);
    const channel = newChannel();
    const held = newClient(Priority.high);
    held.heldUntilMs = 500;
    queue.push(held, newRequest(1));
    queue.push(held, newRequest(2));
    expect(queue.leases([])).toEqual([held]);
    expect([queue.hasUnbound, serve(queue, channel)]).toEqual([false, undefined]);
    expect(queue.release(499)).toBe(500);
    expect(serve(queue, channel)).toBeUndefined();
    expect(queue.release(500)).toBe(Infinity);
    expect(serve(queue, channel)?.request.idHash).toBe(1);
    held.heldUntilMs = 900;
    queue.place(held);
    queue.forget(held);
    expect([queue.size, held.heldUntilMs, queue.release(600)]).toEqual([0, 0, Infinity]);
  });

  it('finds waiting ids and what is due without a look at each request', () => {
    const client = fill(new WaitQueue(limits), newClient(), 5);
    expect(client.waiting.hasIdOf(newRequest(4))).toBe(true);
    expect(client.waiting.hasIdOf(newRequest(5))).toBe(false);
    expect(client.waiting.dueAtMs).toBe(1_000);
    expect(client.waiting.due(1_001).length).toBe(2);
    expect(client.waiting.dueAtMs).toBe(1_002);
  });

  it('starves nobody and keeps its books, whatever waits where', () => {
    const step = fc.tuple(fc.nat(9), fc.nat(11), fc.nat(5));
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 400 }), (steps) => {
        const queue = new WaitQueue(limits);
        const channels = [newChannel(), newChannel()];
        const clients = Array.from({ length: 12 }, (_, n) => newClient((n % 3) as Priority));
        const waiting = new Map(clients.map((client) => [client, [] as Request[]]));
        const passedOver = new Map(clients.map((client) => [client, 0]));
        let id = 0;
        for (const [kind, which, detail] of steps) {
          const client = clients[which]!;
          if (kind < 5) {
            const request = newRequest(id++, detail < 3 ? (detail as Priority) : undefined);
            queue.push(client, request);
            waiting.get(client)!.push(request);
          } else if (kind === 5) {
            // Bound to a channel, or to none any more.
            client.channel = client.channel === undefined ? channels[detail & 1] : undefined;
            queue.place(client);
          } else {
            const channel = channels[detail & 1]!;
            const eligible = clients.filter(
              (one) => one.waiting.length > 0 && (one.channel ?? channel) === channel,
            );
            const served = serve(queue, channel);
            expect(served !== undefined).toBe(eligible.length > 0);
            if (served === undefined) continue;
            expect(eligible).toContain(served.client);
            expect(waiting.get(served.client)!.shift()).toBe(served.request);
            for (const one of eligible) passedOver.set(one, passedOver.get(one)! + 1);
            passedOver.set(served.client, 0);
          }
          expect(queue.size).toBe([...waiting.values()].reduce((sum, { length }) => sum + length, 0));
        }
        // Two rings, twelve clients in each at most, and a sixth of the turns at least for the lightest class.
        expect(Math.max(...passedOver.values())).toBeLessThanOrEqual(2 * 12 * 6);
        for (const channel of channels) while (serve(queue, channel) !== undefined);
        expect(queue.size).toBe(0);
      }),
    );
  });
});
