// npm run bench -- waiting: what it costs to serve a request that waits, however many do.
import { bench, do_not_optimize, group } from 'mitata';
import { Request } from '../jsonrpc/request.ts';
import { Priority } from '../waiting/priority.ts';
import { PriorityRings } from '../waiting/priority-rings.ts';
import type { Channel, Requester } from './channel.ts';
import { WaitingRequests } from './waiting-requests.ts';
import { WaitQueue } from './wait-queue.ts';

const limits = {
  maxSize: 10_000_000,
  maxBytes: 10_000_000,
  maxBytesPerClient: 10_000_000,
  priority: { high: 3, medium: 2, low: 1 },
};

function newClient(priority: Priority): Requester {
  const client: Partial<Requester> = { waiting: new WaitingRequests(), heldUntilMs: 0, priority };
  return client as Requester;
}

// Each lets one request go and has another one wait, so that as many wait afterwards as before.
for (const [clients, requests] of [
  [3, 1],
  [1_000, 1],
  [1_000, 100],
  [1, 100_000],
] as const) {
  group(`${clients} clients with ${requests} waiting`, () => {
    const queue = new WaitQueue(limits);
    const rings: Partial<Channel> = { waiting: new PriorityRings(), favoursBound: 0b111 };
    const channel = rings as Channel;
    for (let n = 0; n < clients; n++) {
      const client = newClient((n % 3) as Priority);
      for (let id = 0; id < requests; id++) queue.push(client, Object.assign(new Request(), { idHash: id }));
    }
    bench('serve one and add one', () => {
      const client = queue.next(channel)!;
      const request = queue.shift(client);
      queue.push(client, request);
      queue.place(client);
      do_not_optimize(request);
    });
  });
}
