import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LeaseRequest } from './lease-script.ts';
import type { RedisClient } from './redis-client.ts';
import { RedisLink, type RedisLinkOptions } from './redis-link.ts';
import { parseRedisUrl, type RedisTarget } from './redis-url.ts';

const request: LeaseRequest = {
  strategy: 'token-bucket',
  settings: { ratePerSecond: 10, burst: 5, windowMs: 1000 },
  ...{ want: 2, least: 1, returned: 0, blockMs: 0 },
};

interface Call {
  readonly key: string;
  readonly numbers: readonly number[];
  readonly reply: (value: unknown) => void;
  readonly fail: (error: Error) => void;
}

/** A client that connects and answers when the test says so. */
class FakeClient extends EventEmitter {
  readonly calls: Call[] = [];
  disconnects = 0;
  open!: () => void;
  refuse!: (error: Error) => void;

  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.open = resolve;
      this.refuse = reject;
    });
  }

  takeLease(key: string, ...numbers: number[]): Promise<unknown> {
    return new Promise((reply, fail) => this.calls.push({ key, numbers, reply, fail }));
  }

  disconnect(): void {
    this.disconnects++;
  }
}

const clients: FakeClient[] = [];
const states: string[] = [];

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  clients.length = 0;
  states.length = 0;
});

function open(options: Partial<RedisLinkOptions> = {}): RedisLink {
  return new RedisLink({
    target: parseRedisUrl('redis://:canary@host') as RedisTarget,
    probeKey: 'probe',
    onState: (up, reason) => states.push(`${up ? 'up' : 'down'}: ${reason}`),
    now: () => performance.now(),
    random: () => 0.5,
    connect: () => {
      clients.push(new FakeClient());
      return clients.at(-1) as unknown as RedisClient;
    },
    ...options,
  });
}

/** Lets promises settle and what waits for the next turn run. */
const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

async function openUp(): Promise<RedisLink> {
  const link = open();
  await rise();
  return link;
}

async function rise(): Promise<FakeClient> {
  const client = clients.at(-1)!;
  client.open();
  await settle();
  client.calls.shift()!.reply([0, 0, 0]);
  await settle();
  return client;
}

it('is up when a command has been answered, not when it has connected', async () => {
  const link = open();
  expect(link.up).toBe(false);
  expect(await link.ask('k', request, 50)).toBeUndefined();
  clients[0]!.open();
  await settle();
  expect([link.up, clients[0]!.calls[0]!.key]).toEqual([false, 'probe']);
  clients[0]!.calls[0]!.reply([0, 0, 0]);
  await settle();
  expect([link.up, states]).toEqual([true, ['up: answers']]);
});

it('gives the answers', async () => {
  const link = await openUp();
  const answer = link.ask('k', request, 50);
  clients[0]!.calls[0]!.reply([2, 0, 0]);
  expect(await answer).toEqual({ granted: 2, waitMs: 0, blocked: false });
});

it('goes down for all at the first late answer, and drops the connection', async () => {
  const link = await openUp();
  const heard: boolean[] = [];
  link.onChange((up) => heard.push(up));
  const first = link.ask('k', request, 50);
  const second = link.ask('l', request, 50);
  await vi.advanceTimersByTimeAsync(49);
  expect(link.up).toBe(true);
  await vi.advanceTimersByTimeAsync(2);
  expect([link.up, await first, await second]).toEqual([false, undefined, undefined]);
  expect([heard, clients[0]!.disconnects]).toEqual([[false], 1]);
  expect(states).toEqual(['up: answers', 'down: no answer in 50 ms']);
  clients[0]!.calls[0]!.reply([2, 0, 0]);
  await settle();
  expect(link.up).toBe(false);
});

it('lets who asked go when their patience is over, stays up for all others, and gives back what comes late', async () => {
  const link = await openUp();
  const hasty = link.ask('k', request, 10);
  const patient = link.ask('l', request, 1000);
  await vi.advanceTimersByTimeAsync(11);
  expect([await hasty, link.up]).toEqual([undefined, true]);
  const { calls } = clients[0]!;
  calls[1]!.reply([1, 0, 0]);
  expect(await patient).toMatchObject({ granted: 1 });
  await vi.advanceTimersByTimeAsync(20);
  calls[0]!.reply([2, 0, 0]);
  await settle();
  expect(calls.slice(2).map(({ key, numbers }) => [key, numbers.slice(4, 7)])).toEqual([['k', [0, 0, 2]]]);
  calls[2]!.reply([0, 0, 0]);
  await vi.advanceTimersByTimeAsync(200);
  expect([link.up, calls.length]).toEqual([true, 3]);
});

it('goes down when nobody waits any more for what is not answered', async () => {
  const link = await openUp();
  void link.ask('k', request, 10);
  await vi.advanceTimersByTimeAsync(51);
  expect(link.up).toBe(false);
});

it('goes down for a command that is late though others are answered', async () => {
  const link = await openUp();
  void link.ask('k', request, 10);
  for (let ms = 0; ms < 60; ms += 10) {
    void link.ask('l', request, 10);
    clients[0]!.calls.pop()!.reply([1, 0, 0]);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(link.up).toBe(false);
});

it('stays up however much is asked at once: who is too many has no answer', async () => {
  const link = await openUp();
  const first = link.ask('k', request, 10);
  for (let count = 1; count < 20_000; count++) void link.ask('k', request, 10);
  const { calls } = clients[0]!;
  const asked = calls.length;
  const tooMany = link.ask('k', request, 10);
  expect(calls.length).toBe(asked);
  for (const call of calls.splice(0)) call.reply([1, 0, 0]);
  expect(await first).toMatchObject({ granted: 1 });
  await vi.advanceTimersByTimeAsync(100);
  expect([link.up, await tooMany]).toEqual([true, undefined]);
});

it('reads what has arrived before it calls an answer late', async () => {
  const link = await openUp();
  const answer = link.ask('k', request, 50);
  // The order of an event loop that was held up: the timer, what came in meanwhile, then what was put off.
  await vi.advanceTimersByTimeAsync(49);
  vi.advanceTimersToNextTimer();
  clients[0]!.calls[0]!.reply([1, 0, 0]);
  expect(await answer).toMatchObject({ granted: 1 });
  await vi.advanceTimersByTimeAsync(100);
  expect(link.up).toBe(true);
});

it('does not blame Redis for the time that this thread was busy', async () => {
  vi.useRealTimers();
  const commandTimeoutMs = 150;
  const link = open({ commandTimeoutMs });
  clients[0]!.open();
  await nextTurn();
  clients[0]!.calls.shift()!.reply([0, 0, 0]);
  await nextTurn();
  const answer = link.ask('k', request, 10 * commandTimeoutMs);
  for (let busy = 0; busy < 3; busy++) {
    const startedMs = performance.now();
    while (performance.now() - startedMs < 1.1 * commandTimeoutMs);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }
  expect([link.up, states]).toEqual([true, ['up: answers']]);
  clients[0]!.calls[0]!.reply([2, 0, 0]);
  expect(await answer).toMatchObject({ granted: 2 });
  link.close();
});

it('dials again at growing intervals of half a second at most, each time with a new client', async () => {
  const link = open();
  const delays: number[] = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    clients.at(-1)!.refuse(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }));
    await settle();
    const startedMs = performance.now();
    while (clients.length === attempt + 1) await vi.advanceTimersToNextTimerAsync();
    delays.push(performance.now() - startedMs);
  }
  expect(delays).toEqual([15, 30, 60, 120, 240, 375, 375, 375]);
  expect(states).toEqual(['down: ECONNREFUSED']);
  await rise();
  expect([link.up, states.at(-1)]).toEqual([true, 'up: answers']);
});

it('gives up a dial that hangs, and a client that answers no more', async () => {
  const link = open();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(states).toEqual(['down: no answer in 2000 ms']);
  await vi.advanceTimersByTimeAsync(20);
  expect(clients.length).toBe(2);
  await rise();
  clients[1]!.emit('end');
  expect([link.up, states.at(-1)]).toEqual([false, 'down: connection closed']);
});

it('goes down at an error, of which it says the code alone', async () => {
  const link = await openUp();
  const answer = link.ask('k', request, 50);
  clients[0]!.calls[0]!.fail(new Error('ERR unknown command `hello`, with args: `AUTH` `canary`'));
  expect(await answer).toBeUndefined();
  await vi.advanceTimersByTimeAsync(20);
  await rise();
  clients[1]!.emit('error', new Error('something about canary'));
  expect(link.up).toBe(false);
  expect(states).toEqual(['up: answers', 'down: ERR', 'up: answers', 'down: Error']);
});

it('takes a reply that is none for an error', async () => {
  const link = await openUp();
  const answer = link.ask('k', request, 50);
  clients[0]!.calls[0]!.reply('OK');
  expect(await answer).toBeUndefined();
  expect(link.up).toBe(false);
});

it('is closed when what was asked before has its answer, or has none in time, and dials no more', async () => {
  for (const reply of [true, false]) {
    const link = await openUp();
    const client = clients.at(-1)!;
    const [dials, said] = [clients.length, states.length];
    const answer = link.ask('k', request, 50);
    link.close();
    expect([link.up, await link.ask('l', request, 50), client.disconnects]).toEqual([false, undefined, 0]);
    if (reply) client.calls[0]!.reply([2, 0, 0]);
    await vi.advanceTimersByTimeAsync(51);
    expect(await answer).toEqual(reply ? { granted: 2, waitMs: 0, blocked: false } : undefined);
    await vi.advanceTimersByTimeAsync(5_000);
    expect([clients.length, client.disconnects, states.length]).toEqual([dials, 1, said]);
  }
});

it('closes while it dials', async () => {
  const link = open();
  clients[0]!.open();
  await settle();
  link.close();
  clients[0]!.calls[0]!.reply([0, 0, 0]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect([link.up, clients.length, clients[0]!.disconnects, states]).toEqual([false, 1, 1, []]);
});
