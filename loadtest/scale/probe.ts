import { kinds, statusIn } from '../result/failure-kinds.ts';
import { Exchange, firstCounter, type Protocol } from './exchange.ts';
import { ScaleClient, type Crowd } from './scale-client.ts';
import type { Target } from './target.ts';

/** Numbers that no client of a run has. */
const probes = [9_999_998, 9_999_999];
const answerTimeoutMs = 5_000;

export interface ProbeOptions {
  readonly target: Target;
  readonly protocol: Protocol;
  readonly bytes: number;
  /** For messages: the address as it was given. */
  readonly address: string;
}

/** Two clients connect and say one message each; throws, with what to do, unless the server answers each with its own. */
export async function probe({ target, protocol, bytes, address }: ProbeOptions): Promise<void> {
  const clients: ScaleClient[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      let [open, answered] = [0, 0];
      const late = setTimeout(() => {
        const what = open < probes.length ? 'the handshake' : 'a message';
        reject(
          new Error(
            `${address} is silent: it accepts connections, and does not answer ${what} within ${answerTimeoutMs / 1_000} s`,
          ),
        );
      }, answerTimeoutMs);
      const crowd: Crowd = {
        ...{ target, exchange: new Exchange(protocol, bytes), readBuffer: Buffer.alloc(65_536) },
        onOpen: () => {
          // All together, so that a server that sends everything to everybody is found out.
          if (++open === probes.length) for (const client of clients) client.say(firstCounter);
        },
        onAnswer(_client, _counter, _nowMs, error) {
          if (error !== undefined) reject(new Error(`${address} answers with an ${error}`));
          if (++answered < probes.length) return true;
          clearTimeout(late);
          resolve();
          return true;
        },
        onFault: (_client, before, kind, reason) => {
          clearTimeout(late);
          reject(new Error(explain(address, protocol, before === 'open', kind, reason)));
        },
      };
      for (const number of probes) clients.push(new ScaleClient(crowd, number, undefined));
    });
  } finally {
    for (const client of clients) client.close();
  }
}

function explain(
  address: string,
  protocol: Protocol,
  wasOpen: boolean,
  kind: string,
  reason: string,
): string {
  const other = protocol === 'echo' ? '--mode request, for JSON-RPC' : '--mode echo, for texts';
  if (kind === kinds.refused)
    return `${address}: nothing listens there (connection refused); start the server, or check the address`;
  if (statusIn(kind) !== undefined)
    return `${address} lets no WebSocket in: ${reason}; check the path, and what the server asks for`;
  if (kind === kinds.handshakeGarbage) return `${address} is no WebSocket server: ${reason}`;
  if (kind === kinds.foreignReply) return `${address} mixes up its clients: ${reason}`;
  if (kind === kinds.wrongReply || kind === kinds.unasked)
    return `${address} does not answer with what it should: ${reason}; if it is right for another kind of message, try ${other}`;
  const when = wasOpen ? 'after the handshake' : 'before the handshake was over';
  return `${address} cannot be used: ${reason} ${kind === kinds.reset || kind === kinds.cutOff ? when : ''}`.trim();
}
