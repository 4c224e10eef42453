/** The last `capacity` of what was added. */
export class Ring<T> {
  readonly #capacity: number;
  readonly #items: T[] = [];
  #oldest = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(item: T): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#oldest] = item;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  get latest(): T | undefined {
    const { length } = this.#items;
    return this.#items[(this.#oldest + length - 1) % length];
  }

  /** The oldest first. */
  toArray(): T[] {
    return [...this.#items.slice(this.#oldest), ...this.#items.slice(0, this.#oldest)];
  }
}
