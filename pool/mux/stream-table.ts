/** A stream as the table sees it. */
export interface TableEntry {
  /** 0 until it has one. */
  id: number;
}

const initialSlots = 64;

/**
 * The streams of one connection by their ids, which grow and are never used twice. The slot of an id is the id modulo the
 * size of the table, and an id whose slot is taken is left out: so a look-up is one step, and finds that id or none.
 */
export class StreamTable<S extends TableEntry> {
  #slots: (S | undefined)[] = new Array<S | undefined>(initialSlots).fill(undefined);
  #lastId = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The highest id so far, 0 for none. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Gives the stream the next id and enters it. */
  add(stream: S): void {
    // At most half full, so that the next id with a free slot is near.
    if (this.#size * 2 >= this.#slots.length) this.#grow();
    const mask = this.#slots.length - 1;
    let id = this.#lastId + 1;
    while (this.#slots[id & mask] !== undefined) id++;
    this.#lastId = id;
    this.#slots[id & mask] = stream;
    this.#size++;
    stream.id = id;
  }

  find(id: number): S | undefined {
    const stream = this.#slots[id & (this.#slots.length - 1)];
    return stream?.id === id ? stream : undefined;
  }

  /** Takes out a stream that is in the table. Throws when it is not. */
  remove(stream: S): void {
    const index = stream.id & (this.#slots.length - 1);
    if (this.#slots[index] !== stream) throw new Error('bug: a stream was removed twice');
    this.#slots[index] = undefined;
    this.#size--;
  }

  list(): S[] {
    return this.#slots.filter((stream) => stream !== undefined);
  }

  /** Ids that differ modulo the old size differ modulo the new one. */
  #grow(): void {
    const streams = this.list();
    this.#slots = new Array<S | undefined>(this.#slots.length * 2).fill(undefined);
    for (const stream of streams) this.#slots[stream.id & (this.#slots.length - 1)] = stream;
  }
}
