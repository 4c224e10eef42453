import { Episode } from '../pool/health/episode.ts';

export interface RefusalWatchOptions {
  /** Refused so far. */
  readonly count: () => number;
  readonly onBegin: () => void;
  /** So many were refused in all that time. */
  readonly onEnd: (outcome: { readonly refused: number; readonly forMs: number }) => void;
}

/** Refusals are over when there has been none for so long. */
const quietMs = 10_000;

/** Tells when something begins to refuse and when it has refused nothing for a while. */
export class RefusalWatch {
  readonly #options: RefusalWatchOptions;
  readonly #episode = new Episode(quietMs);
  #seen = 0;

  constructor(options: RefusalWatchOptions) {
    this.#options = options;
  }

  /** To be called several times a second. */
  tick(nowMs: number): void {
    const { count, onBegin } = this.#options;
    const more = count() - this.#seen;
    this.#seen += more;
    if (more > 0 && this.#episode.sign(nowMs, more)) onBegin();
    else if (this.#episode.isOver(nowMs)) this.stop(nowMs);
  }

  /** There is nothing to watch any more. */
  stop(nowMs: number): void {
    if (!this.#episode.isOn) return;
    const outcome = { refused: this.#episode.signs, forMs: this.#episode.ageMs(nowMs) };
    this.#episode.end(nowMs);
    this.#options.onEnd(outcome);
  }
}
