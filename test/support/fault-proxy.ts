import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Direction, Fault } from './fault.ts';
import { onTearDown } from './tear-down.ts';

/** A TCP proxy before a backend on a loopback port. Without a fault it passes everything on as it is. */
export interface FaultProxy {
  readonly url: string;
  /** Connections open now. */
  connections(): number;
  /** The most that were open at once. */
  connectionsPeak(): number;
  /** From now on this is wrong, in place of what was wrong before. */
  impose(fault: Fault): void;
  /** From now on nothing is wrong; what was held is passed on. */
  lift(): void;
}

/** Starts a proxy to a port; it is stopped when the test file ends. */
export async function startFaultProxy(backendPort: number): Promise<FaultProxy> {
  const links = new Set<Link>();
  let peak = 0;
  const now = new Weather();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = connect({ port: backendPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const link = new Link(near, far, now);
    links.add(link);
    peak = Math.max(peak, links.size);
    void link.ended.then(() => links.delete(link));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => {
    server.close();
    for (const link of links) link.reset();
  });
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => links.size,
    connectionsPeak: () => peak,
    impose: (fault) => {
      now.change(fault);
      for (const link of links) link.suffer(fault);
    },
    lift: () => now.change(undefined),
  };
}

/** What is wrong now, for all connections of a proxy. */
class Weather {
  #fault: Fault | undefined;
  readonly #waiting: (() => void)[] = [];

  change(fault: Fault | undefined): void {
    this.#fault = fault;
    for (const resume of this.#waiting.splice(0)) resume();
  }

  in(direction: Direction): Fault | undefined {
    return this.#fault?.directions.includes(direction) === true ? this.#fault : undefined;
  }

  changed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** One connection of the gateway, and the one to the backend that belongs to it. */
class Link {
  readonly ended: Promise<unknown>;
  readonly #near: Socket;
  readonly #far: Socket;
  readonly #weather: Weather;

  constructor(near: Socket, far: Socket, weather: Weather) {
    this.#near = near;
    this.#far = far;
    this.#weather = weather;
    this.#pass(near, far, 'to the backend');
    this.#pass(far, near, 'to the gateway');
    const closed = [near, far].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    this.ended = Promise.all(closed);
  }

  suffer({ blow, directions }: Fault): void {
    if (blow === 'reset') this.reset();
    if (blow !== 'half-close') return;
    if (directions.includes('to the backend')) this.#far.end();
    if (directions.includes('to the gateway')) this.#near.end();
  }

  reset(): void {
    this.#near.resetAndDestroy();
    this.#far.resetAndDestroy();
  }

  #pass(from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk) => {
      from.pause();
      void this.#carry(chunk, to, direction).then(() => from.resume());
    });
    from.once('end', () => to.end());
    // One that ended in order has been ended on the other side too; anything else is passed on as what it was, an abort.
    from.once('error', () => this.reset());
    from.once('close', () => {
      if (!from.readableEnded) this.reset();
    });
  }

  async #carry(chunk: Buffer, to: Socket, direction: Direction): Promise<void> {
    for (let rest = chunk; rest.length > 0 && to.writable;) {
      const fault = this.#weather.in(direction);
      const piece = fault === undefined ? { bytes: rest.length, afterMs: 0 } : fault.next(rest.length);
      if (piece === undefined) {
        await this.#weather.changed();
        continue;
      }
      if (piece.afterMs > 0) await sleep(piece.afterMs);
      await written(to, rest.subarray(0, piece.bytes));
      rest = rest.subarray(piece.bytes);
      if (rest.length > 0) await nextTurn();
    }
  }
}

/** Done when the bytes left the process, or cannot any more. */
function written(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (to.writable) to.write(bytes, () => resolve());
    else resolve();
  });
}
