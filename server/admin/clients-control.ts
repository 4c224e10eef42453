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
}

/** A part of all clients, the oldest first. */
export interface ClientsPage {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly clients: readonly ClientReport[];
}

/** What the admin API needs of the clients. */
export interface ClientsControl {
  page(which: { readonly offset: number; readonly limit: number }): ClientsPage;
  /** Closes a client with 1008; false when it is not there. */
  dismiss(id: number): boolean;
}
