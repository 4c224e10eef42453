import { setTimeout as sleep } from 'node:timers/promises';
import { connectClient, type Client } from './client.ts';

/** Clients that keep asking, each with one request under way, and hold every reply to what they asked. */
export interface Askers {
  /** Right replies so far. */
  readonly replies: () => number;
  /** Begins to count how many of them have had a right reply since. */
  watch(): () => number;
  /** Stops asking, and gives what went wrong: errors, wrong replies, closed connections. */
  stop(): Promise<readonly string[]>;
}

const batch = 50;

/** Connects `count` clients that ask for `echo`, with a pause after each reply. */
export async function startAskers(url: string, count: number, pauseMs: number): Promise<Askers> {
  const clients: Client[] = [];
  while (clients.length < count) {
    const size = Math.min(batch, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: size }, () => connectClient(url)))));
  }
  const faults: string[] = [];
  const watches: Set<number>[] = [];
  let replies = 0;
  let asking = true;
  const ask = async (client: Client, n: number): Promise<void> => {
    for (let id = 1; asking; id++) {
      const params = `client ${n}, request ${id}`;
      // Every client counts from 1: who gets another one's reply notices.
      const reply = await client.call({ jsonrpc: '2.0', id, method: 'echo', params }, 30_000);
      if (reply.id !== id || reply.result !== params) faults.push(`${params}: ${JSON.stringify(reply)}`);
      else for (const served of watches) served.add(n);
      replies++;
      await sleep(pauseMs * (0.5 + Math.random()));
    }
  };
  const loops = clients.map((client, n) =>
    ask(client, n).catch((fault: unknown) => void faults.push(`client ${n}: ${(fault as Error).message}`)),
  );
  return {
    replies: () => replies,
    watch: () => {
      const served = new Set<number>();
      watches.push(served);
      return () => served.size;
    },
    stop: async () => {
      asking = false;
      await Promise.all(loops);
      return faults;
    },
  };
}
