import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { eventually } from './eventually.ts';
import { blackHole, chop, delay, faultNames, halfClose, reset, throttle } from './fault.ts';
import { drawFault } from './fault-plan.ts';
import { startFaultProxy, type FaultProxy } from './fault-proxy.ts';
import { seededRandom } from './random.ts';
import { onTearDown } from './tear-down.ts';

/** One side of a connection through the proxy, and all that it heard. */
interface End {
  readonly socket: Socket;
  readonly chunks: Buffer[];
  heard(): string;
  /** 'end' for a FIN, 'error' and its code for a RST; in the order of arrival. */
  readonly ends: string[];
}

it('passes everything on, both ways, and an end as a half-close', async () => {
  const { near, far } = await openLink();
  const large = 'x'.repeat(2_000_000);
  near.socket.write(large);
  far.socket.write('hello');
  await eventually(() => expect([far.heard().length, near.heard()]).toEqual([large.length, 'hello']));
  near.socket.end('bye');
  await eventually(() => expect(far.ends).toEqual(['end']));
  far.socket.end('you too');
  await eventually(() => expect(near.ends).toEqual(['end']));
  expect([far.heard().endsWith('bye'), near.heard()]).toEqual([true, 'helloyou too']);
});

it('delays in one direction, and keeps the order', async () => {
  const { proxy, near, far } = await openLink();
  proxy.impose(delay(150, ['to the gateway']));
  const startMs = performance.now();
  for (const text of ['a', 'b', 'c']) far.socket.write(text);
  near.socket.write('at once');
  await eventually(() => expect(far.heard()).toBe('at once'));
  const earlyMs = performance.now() - startMs;
  await eventually(() => expect(near.heard()).toBe('abc'));
  const lateMs = performance.now() - startMs;
  expect(lateMs).toBeGreaterThan(140);
  expect(lateMs).toBeGreaterThan(earlyMs);
});

it('throttles, until it is lifted', async () => {
  const { proxy, near, far } = await openLink();
  proxy.impose(throttle(10_000));
  near.socket.write(Buffer.alloc(50_000));
  const startMs = performance.now();
  await eventually(() => expect(far.heard().length).toBeGreaterThan(2_000));
  expect(performance.now() - startMs, 'milliseconds for 2 KB').toBeGreaterThan(150);
  expect(far.heard().length).toBeLessThan(50_000);
  proxy.lift();
  await eventually(() => expect(far.heard().length).toBe(50_000));
});

it('chops into single bytes', async () => {
  const { proxy, near, far } = await openLink();
  proxy.impose(chop());
  near.socket.write('one by one');
  await eventually(() => expect(far.heard()).toBe('one by one'));
  expect(far.chunks.length, 'in reads of their own, most of them').toBeGreaterThan(5);
});

it('resets what is open, and nothing after', async () => {
  const { proxy, near, far, again } = await openLink();
  proxy.impose(reset());
  await eventually(() => expect([near.ends, far.ends]).toEqual([['error ECONNRESET'], ['error ECONNRESET']]));
  const second = await again();
  second.near.socket.write('again');
  await eventually(() => expect(second.far.heard()).toBe('again'));
  expect(proxy.connections()).toBe(1);
});

it('swallows in silence, accepts connections, and lets go of what it held', async () => {
  const { proxy, near, far, again } = await openLink();
  proxy.impose(blackHole());
  near.socket.write('held');
  far.socket.write('held too');
  const second = await again();
  second.near.socket.write('held as well');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([far.heard(), near.heard(), second.far.heard()]).toEqual(['', '', '']);
  expect([near.ends, far.ends]).toEqual([[], []]);
  proxy.lift();
  await eventually(() =>
    expect([far.heard(), near.heard(), second.far.heard()]).toEqual(['held', 'held too', 'held as well']),
  );
});

it('half-closes in one direction and goes on in the other', async () => {
  const { proxy, near, far } = await openLink();
  proxy.impose(halfClose('to the gateway'));
  await eventually(() => expect(near.ends).toEqual(['end']));
  near.socket.write('still heard');
  await eventually(() => expect(far.heard()).toBe('still heard'));
  far.socket.write('not any more');
  expect(far.ends).toEqual([]);
});

it('refuses, with a RST, what the backend refuses', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const proxy = await startFaultProxy(port);
  const near = endOf(connect(Number(new URL(proxy.url).port), '127.0.0.1'));
  await eventually(() => expect(near.ends).toEqual(['error ECONNRESET']));
  await eventually(() => expect(proxy.connections()).toBe(0));
});

it('draws the same plan from the same seed, with every kind of fault in it', () => {
  const plan = (seed: number): string[] => {
    const random = seededRandom(seed);
    return Array.from({ length: 60 }, () => {
      const { calmMs, fault, lastsMs } = drawFault(random);
      return `${calmMs}: ${fault.description} for ${lastsMs}`;
    });
  };
  expect(plan(7)).toEqual(plan(7));
  expect(plan(7)).not.toEqual(plan(8));
  const random = seededRandom(7);
  const names = Array.from({ length: 60 }, () => drawFault(random).fault.name);
  expect(new Set(names)).toEqual(new Set(faultNames));
});

interface OpenLink {
  readonly proxy: FaultProxy;
  readonly near: End;
  readonly far: End;
  readonly again: () => Promise<{ near: End; far: End }>;
}

async function openLink(): Promise<OpenLink> {
  const server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => void server.close());
  const proxy = await startFaultProxy((server.address() as AddressInfo).port);
  const again = async (): Promise<{ near: End; far: End }> => {
    const accepted = once(server, 'connection') as Promise<[Socket]>;
    const port = Number(new URL(proxy.url).port);
    const near = endOf(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }));
    const [socket] = await accepted;
    return { near, far: endOf(socket) };
  };
  return { proxy, ...(await again()), again };
}

function endOf(socket: Socket): End {
  const chunks: Buffer[] = [];
  const ends: string[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('end', () => ends.push('end'));
  socket.on('error', (fault) => ends.push(`error ${(fault as NodeJS.ErrnoException).code ?? ''}`));
  onTearDown(() => void socket.destroy());
  return { socket, chunks, ends, heard: () => Buffer.concat(chunks).toString() };
}
