/** Something that collects bytes during an event-loop turn and sends them at its end. */
export interface Flushable {
  flush(): void;
}

/** Runs each scheduled flush once, at the end of the current event-loop turn. */
export class Turn {
  #items: Flushable[] = [];
  #running: Flushable[] = [];
  readonly #first: Flushable[] = [];
  #scheduled = false;
  readonly #onError: (error: unknown) => void;

  /** `onError` is told when a flush throws, which is a bug; the others still run. */
  constructor({ onError }: { onError: (error: unknown) => void }) {
    this.#onError = onError;
  }

  /** The item must not be scheduled again before its flush has run. */
  schedule(item: Flushable): void {
    this.#items.push(item);
    this.#runLater();
  }

  /** Like `schedule`, for an item that packs what others then flush: it comes before all of those, in the same turn. */
  scheduleFirst(item: Flushable): void {
    this.#first.push(item);
    this.#runLater();
  }

  #runLater(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    // What they schedule still belongs to this turn.
    if (this.#first.length > 0) this.#flushAll(this.#first);
    this.#scheduled = false;
    const items = this.#items;
    this.#items = this.#running;
    this.#running = items;
    this.#flushAll(items);
  };

  #flushAll(items: Flushable[]): void {
    for (let i = 0; i < items.length; i++) {
      try {
        items[i]!.flush();
      } catch (error) {
        this.#onError(error);
      }
    }
    items.length = 0;
  }
}
