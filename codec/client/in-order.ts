/** Runs jobs one after another, each when the one before it has ended. */
export class InOrder {
  readonly #onError: (error: unknown) => void;
  #last = Promise.resolve();
  #pendingBytes = 0;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** What the jobs hold that have not ended. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Takes a job and says how many bytes it holds; what it throws goes to `onError`, and the next one runs. */
  add(bytes: number, job: () => void | Promise<void>): void {
    this.#pendingBytes += bytes;
    this.#last = this.#last
      .then(job)
      .catch(this.#onError)
      .finally(() => (this.#pendingBytes -= bytes));
  }
}
