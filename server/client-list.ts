import type {
  ClientRank,
  ClientReport,
  ClientsControl,
  ClientsPage,
  PageRequest,
} from './admin/clients-control.ts';
import type { Connection } from './connection.ts';
import type { Log } from './log.ts';
import { most } from './most.ts';

export interface ClientListOptions {
  /** All that are connected, in the order in which they came. */
  readonly clients: ReadonlySet<Connection>;
  /** The pool behind each route. */
  readonly poolOfRoute: ReadonlyMap<string, string>;
  /** Tells identities apart without giving them away. */
  readonly hashOf: (identity: string) => string;
  /** The clock that clients were opened by, and that of the calendar. */
  readonly now: () => number;
  readonly wallClockMs: () => number;
  readonly log: Pick<Log, 'info'>;
}

const ranks: Readonly<Record<ClientRank, (client: Connection) => number>> = {
  messages: (client) => client.messagesReceived + client.messagesSent,
  bytes: (client) => client.bytesReceived + client.bytesSent,
  inFlight: (client) => client.figures().inFlight,
};

/** The clients of a gateway as its operators see them. Found by going through all of them: nothing is kept for it. */
export class ClientList implements ClientsControl {
  readonly #options: ClientListOptions;

  constructor(options: ClientListOptions) {
    this.#options = options;
  }

  page({ offset, limit, sort }: PageRequest): ClientsPage {
    const { clients } = this.#options;
    const end = Math.min(offset + limit, clients.size);
    const found = sort === undefined ? first(clients, end) : most(clients, ranks[sort], end);
    const page = found.slice(offset).map((client) => this.#report(client));
    return { total: clients.size, offset, limit, clients: page };
  }

  dismiss(id: number): boolean {
    for (const client of this.#options.clients) {
      if (client.id !== id) continue;
      client.dismiss();
      this.#options.log.info(
        { client: id, requestId: client.requestId || undefined },
        'client closed by an operator',
      );
      return true;
    }
    return false;
  }

  /** How many there are, by pool. */
  countByPool(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const client of this.#options.clients) {
      const pool = this.#poolOf(client);
      counts.set(pool, (counts.get(pool) ?? 0) + 1);
    }
    return counts;
  }

  #report(client: Connection): ClientReport {
    const { hashOf, now, wallClockMs } = this.#options;
    const { id, keys, codec } = client;
    const { inFlight, waiting } = client.figures();
    return {
      id,
      address: keys.ip,
      identity: keys.identity === keys.ip ? null : hashOf(keys.identity),
      route: keys.route,
      pool: this.#poolOf(client),
      connectedAt: new Date(wallClockMs() - (now() - client.openedAtMs)).toISOString(),
      messages: { received: client.messagesReceived, sent: client.messagesSent },
      bytes: { received: client.bytesReceived, sent: client.bytesSent },
      inFlight,
      waiting,
      codec,
      requestId: client.requestId || null,
    };
  }

  #poolOf({ keys }: Connection): string {
    return this.#options.poolOfRoute.get(keys.route) ?? '';
  }
}

function first<T>(items: Iterable<T>, count: number): T[] {
  const found: T[] = [];
  for (const item of items) {
    if (found.length >= count) break;
    found.push(item);
  }
  return found;
}
