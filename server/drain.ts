import type { Connection } from './connection.ts';

export interface DrainOptions {
  readonly clients: ReadonlySet<Connection>;
  /** Clients are told to go evenly over at most this time. */
  readonly spreadMs: number;
  /** Whoever is still there after this time is closed all the same. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

const tickMs = 20;
/** A handful of clients need not be spread over seconds. */
const msPerClient = 10;

/** Sends every client away with 1001, spread over time; one that waits for a reply first gets it. Resolves when all are gone. */
export async function drainClients({ clients, spreadMs, timeoutMs, now }: DrainOptions): Promise<void> {
  const startedAtMs = now();
  const queue = [...clients];
  const durationMs = Math.min(spreadMs, queue.length * msPerClient, timeoutMs);
  const leaving = new Set<Connection>();
  let next = 0;
  for (;;) {
    const elapsedMs = now() - startedAtMs;
    const due = elapsedMs >= durationMs ? queue.length : Math.floor((elapsedMs / durationMs) * queue.length);
    for (; next < due; next++) {
      queue[next]!.refuseNew();
      leaving.add(queue[next]!);
    }
    for (const client of leaving) {
      if (clients.has(client) && client.busy && elapsedMs < timeoutMs) continue;
      leaving.delete(client);
      client.drain();
    }
    if (clients.size === 0 || elapsedMs >= timeoutMs + 1_000) return;
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}
