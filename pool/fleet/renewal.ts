/** What a renewal replaces. */
export interface Renewable {
  readonly draining: boolean;
  readonly load: number;
}

export interface RenewalOptions<C extends Renewable> {
  /** How many more connections there may be now. */
  readonly room: () => number;
  /** Begins to dial one more connection, and says when that has ended, in an open one or not; false when nothing may be dialled now. */
  readonly dial: (onEnded: (opened: boolean) => void) => boolean;
  /** Nothing new on this connection, which closes when it is empty. */
  readonly retire: (connection: C) => void;
}

/** Dials for new connections that are under way at once, so that nobody has to take a storm of them. */
const maxDials = 8;

/**
 * Replaces connections one by one: a new one is there before an old one takes nothing more. Where there may be none more, one of
 * the old ones has to go first.
 */
export class Renewal<C extends Renewable> {
  readonly #options: RenewalOptions<C>;
  readonly #old = new Set<C>();
  /** Goes to make room, and is not gone yet. */
  #leaving: C | undefined;
  /** It is not replaced yet. */
  #owesOne = false;
  #dials = 0;

  constructor(options: RenewalOptions<C>) {
    this.#options = options;
  }

  /** How many are yet to be replaced. */
  get size(): number {
    return this.#old.size;
  }

  /** Begins to replace these. */
  begin(connections: readonly C[]): void {
    for (const connection of connections) if (!connection.draining) this.#old.add(connection);
    this.step();
  }

  /** To be called when a connection is gone. */
  forget(connection: C): void {
    this.#old.delete(connection);
    if (this.#leaving !== connection) return;
    this.#leaving = undefined;
    this.step();
  }

  /** Goes on where it had to wait; to be called now and then. */
  step(): void {
    const { room, dial } = this.#options;
    const missing = this.#old.size + (this.#owesOne ? 1 : 0);
    while (this.#dials < Math.min(maxDials, missing) && room() > 0) {
      this.#dials++;
      if (dial(this.#onDialEnded)) continue;
      this.#dials--;
      return;
    }
    if (this.#dials > 0 || this.#leaving !== undefined || this.#old.size === 0 || room() > 0) return;
    this.#owesOne = true;
    this.#leaving = this.#takeIdlest();
    this.#options.retire(this.#leaving);
  }

  readonly #onDialEnded = (opened: boolean): void => {
    this.#dials--;
    if (!opened) return;
    if (this.#owesOne) this.#owesOne = false;
    else if (this.#old.size > 0) this.#options.retire(this.#takeIdlest());
    this.step();
  };

  /** The one that has the least to finish. */
  #takeIdlest(): C {
    const [first, ...others] = this.#old;
    if (first === undefined) throw new Error('bug: there is no old connection');
    const idlest = others.reduce(
      (best, connection) => (connection.load < best.load ? connection : best),
      first,
    );
    this.#old.delete(idlest);
    return idlest;
  }
}
