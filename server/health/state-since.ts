/** One of several states, and since when. */
export class StateSince<State extends string> {
  #state: State;
  #sinceMs: number;

  constructor(state: State, nowMs: number) {
    this.#state = state;
    this.#sinceMs = nowMs;
  }

  get state(): State {
    return this.#state;
  }

  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** It is like this now. */
  see(state: State, nowMs: number): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#sinceMs = nowMs;
  }
}
