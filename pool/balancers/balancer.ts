/** What a balancer sees of one upstream connection. */
export interface Member {
  readonly available: boolean;
  /** What is in flight on it; at least 0. */
  readonly load: number;
}

/** Chooses among upstream connections; it keeps no reference to any, so the list may change between picks. */
export interface Balancer {
  /** An available member, or undefined when there is none. Never allocates. */
  pick<M extends Member>(members: readonly M[]): M | undefined;
}
