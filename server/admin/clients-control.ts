/** What went each way. */
export interface Traffic {
  readonly received: number;
  readonly sent: number;
}

/** A client, now. */
export interface ClientReport {
  readonly id: number;
  /** Its address, or the /64 of an IPv6 one. */
  readonly address: string;
  /** A hash of who it says it is, the same for the same identity; null when it says nothing. */
  readonly identity: string | null;
  readonly route: string;
  readonly pool: string;
  /** ISO 8601, in UTC. */
  readonly connectedAt: string;
  readonly messages: Traffic;
  readonly bytes: Traffic;
  readonly inFlight: number;
  readonly waiting: number;
  readonly codec: string | null;
  /** By which it is found in other logs; null for nothing. */
  readonly requestId: string | null;
}

/** What clients can be ranked by: what has gone both ways since they came, or what is unanswered now. */
export const clientRanks = ['messages', 'bytes', 'inFlight'] as const;
export type ClientRank = (typeof clientRanks)[number];

/** A part of all clients. */
export interface ClientsPage {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly clients: readonly ClientReport[];
}

/** Which part of all clients. */
export interface PageRequest {
  readonly offset: number;
  readonly limit: number;
  readonly sort?: ClientRank;
}

/** What the admin API needs of the clients. */
export interface ClientsControl {
  /** The oldest first, or those with the most of `sort`. */
  page(which: PageRequest): ClientsPage;
  /** Closes a client with 1008; false when it is not there. */
  dismiss(id: number): boolean;
}
