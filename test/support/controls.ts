import { setTimeout as sleep } from 'node:timers/promises';
import { connectCodecClient } from './codec-client.ts';
import type { CodecClient } from './codec-client.ts';
import { prose } from './codec-messages.ts';
import { CODECS } from './codec-wire.ts';
import type { Gateway } from './gateway.ts';
import { seededRandom } from './random.ts';
import { onTearDown } from './tear-down.ts';

/** Honest clients, one of each codec, that talk all the time and hold the gateway to every reply. */
export interface Controls {
  /** How many they are. */
  readonly count: number;
  /** Replies that were right so far. */
  readonly replies: () => number;
  /** What went wrong so far, once each of them has had one more reply. */
  faults(): Promise<readonly string[]>;
  /** Ends all of them. */
  stop(): void;
}

/** Connects them to `/ws`, which has to echo; zstd speaks with the first of the gateway's dictionaries. */
export async function startControls(
  gateway: Gateway,
  [dictionary]: readonly Buffer[] = [],
): Promise<Controls> {
  const faults: string[] = [];
  let replies = 0;
  let stopped = false;
  const rounds = CODECS.map(() => 0);
  const talk = async (client: CodecClient, n: number): Promise<void> => {
    const random = seededRandom(n);
    while (!stopped) {
      const text = `control ${n}, round ${rounds[n]}: ${prose(Math.floor(random() ** 3 * 20_000), random)}`;
      const { data, isBinary } = await client.echo(text, 30_000);
      if (isBinary || !data.equals(Buffer.from(text)))
        throw new Error(`a wrong reply: ${data.toString('utf8', 0, 80)}`);
      if (client.waiting() > 0) throw new Error('a reply that nobody asked for');
      replies++;
      rounds[n]!++;
      await sleep(5);
    }
  };
  const clients = await Promise.all(
    CODECS.map((codec) =>
      connectCodecClient(gateway.at(`/ws?codec=${codec}`), {
        codec,
        ...(codec === 'zstd' && dictionary !== undefined && { dictionary }),
      }),
    ),
  );
  clients.forEach((client, n) => {
    talk(client, n).catch((fault: unknown) => {
      if (!stopped) faults.push(`${CODECS[n]}: ${(fault as Error).message}`);
    });
  });
  const stop = (): void => {
    stopped = true;
    for (const client of clients) client.socket.terminate();
  };
  onTearDown(stop);
  return {
    count: clients.length,
    replies: () => replies,
    faults: async () => {
      const seen = [...rounds];
      while (faults.length === 0 && rounds.some((round, n) => round === seen[n])) await sleep(2);
      return faults;
    },
    stop,
  };
}
