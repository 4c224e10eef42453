import type { Connection } from './connection.ts';

export interface DrainOptions {
  readonly clients: ReadonlySet<Connection>;
  /** Clients that came since the drain began; what is in it is taken out. */
  readonly latecomers: Connection[];
  /** More may come. */
  readonly mayCome: () => boolean;
  /** Clients are told to go evenly over at most this time. */
  readonly spreadMs: number;
  /** Whoever is still there after this time is closed all the same. */
  readonly timeoutMs: number;
  readonly now: () => number;
  readonly log: {
    info(data: object, message: string): void;
    warn(data: object, message: string): void;
  };
}

const tickMs = 20;
/** A handful of clients need not be spread over seconds. */
const msPerClient = 10;
/** How much faster than planned it may go after it fell behind. */
const catchUp = 1.5;

/** Sends every client away with 1001, spread over time; one that waits for a reply first gets it. Resolves when all are gone. */
export async function drainClients(options: DrainOptions): Promise<void> {
  const { clients, latecomers, mayCome, spreadMs, timeoutMs, now, log } = options;
  const startedAtMs = now();
  const queue = [...clients];
  const durationMs = Math.min(spreadMs, queue.length * msPerClient, timeoutMs);
  const leaving = new Set<Connection>();
  let next = 0;
  let isLate = false;
  let hasTold = false;
  log.info({ clients: clients.size, overMs: durationMs }, 'clients are sent away');
  for (;;) {
    queue.push(...latecomers.splice(0));
    const elapsedMs = now() - startedAtMs;
    const forced = elapsedMs >= timeoutMs;
    if (forced && clients.size > 0 && !isLate) {
      isLate = true;
      log.warn({ clients: clients.size }, 'drain timed out: clients are closed before their answers');
    }
    const due = elapsedMs >= durationMs ? queue.length : Math.floor((elapsedMs / durationMs) * queue.length);
    const perTick = Math.ceil((queue.length * tickMs) / Math.max(durationMs, tickMs));
    // Who is to leave when idle may do so at once: after a moment in which the process stood still, not all of them together.
    const last = forced ? queue.length : Math.min(due, next + Math.ceil(catchUp * perTick));
    for (; next < last; next++) {
      queue[next]!.leaveWhenIdle();
      leaving.add(queue[next]!);
    }
    // Those who become idle late go at the same pace as all others, not in one burst.
    let allowance = forced ? queue.length : perTick;
    for (const client of leaving) {
      if (!clients.has(client)) leaving.delete(client);
      else if (allowance > 0 && (forced || !client.busy)) {
        leaving.delete(client);
        client.drain();
        allowance--;
      }
    }
    if (!hasTold && next === queue.length && leaving.size > 0) {
      hasTold = true;
      log.info({ clients: leaving.size }, 'the last clients still await an answer');
    }
    if ((clients.size === 0 && !mayCome()) || elapsedMs >= timeoutMs + 1_000) return;
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}
