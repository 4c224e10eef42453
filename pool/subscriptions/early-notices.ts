import { copyBytes } from '../copy-bytes.ts';
import { sameId } from '../jsonrpc/ids.ts';
import { ownToken } from './token-map.ts';

/** A notification that came before it was known whose it is, and where its id stands in it. */
export interface Notice {
  readonly bytes: Uint8Array;
  readonly cutStart: number;
  readonly cutEnd: number;
}

interface HeldNotice extends Notice {
  readonly token: Uint8Array;
  /** How many subscribes had begun when it came. */
  readonly begun: number;
}

/**
 * Keeps what a connection says of ids that nobody knows while a subscribe is under way there, for the reply may come later
 * than the first notification. Bounded in bytes; each is forgotten when all subscribes of its time have had their reply.
 */
export class EarlyNotices {
  readonly #maxBytes: number;
  /** The subscribes under way, by number, oldest first. */
  readonly #pending = new Set<number>();
  #begun = 0;
  #notices: HeldNotice[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A subscribe was sent; its number is for `settle`. */
  begin(): number {
    this.#pending.add(++this.#begun);
    return this.#begun;
  }

  /** Keeps a copy; false when nothing is awaited, or when there is no room. */
  hold(buf: Uint8Array, start: number, cutStart: number, cutEnd: number, end: number): boolean {
    if (this.#pending.size === 0 || this.#bytes + end - start > this.#maxBytes) return false;
    this.#bytes += end - start;
    this.#notices.push({
      bytes: copyBytes(buf, start, end),
      cutStart: cutStart - start,
      cutEnd: cutEnd - start,
      token: ownToken(buf, cutStart, cutEnd),
      begun: this.#begun,
    });
    return true;
  }

  /** Takes out what carries this id, oldest first. */
  take(id: Uint8Array): Notice[] {
    const isOf = ({ token }: HeldNotice): boolean => sameId(token, 0, token.length, id, 0, id.length);
    return this.#takeWhere(isOf);
  }

  /** A subscribe has had its reply or will have none. Returns how many notifications turned out to be nobody's. */
  settle(subscribe: number): number {
    this.#pending.delete(subscribe);
    const oldest = this.#pending.values().next().value ?? Infinity;
    return this.#takeWhere(({ begun }) => begun < oldest).length;
  }

  #takeWhere(isTaken: (notice: HeldNotice) => boolean): Notice[] {
    if (this.#notices.length === 0) return [];
    const taken = this.#notices.filter(isTaken);
    this.#notices = this.#notices.filter((notice) => !isTaken(notice));
    for (const { bytes } of taken) this.#bytes -= bytes.length;
    return taken;
  }
}
