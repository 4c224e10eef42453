/** What a balancer sees of one upstream, or of one connection to it. */
export interface Member {
  readonly available: boolean;
  /** What is in flight on it; at least 0. */
  readonly load: number;
  /** How long it takes to answer, in milliseconds; 0 while nothing is known. */
  readonly latencyMs: number;
}

/** Chooses among upstream connections; it keeps no reference to any, so the list may change between picks. */
export interface Balancer {
  /** An available member, or undefined when there is none. Never allocates. */
  pick<M extends Member>(members: readonly M[]): M | undefined;
}
