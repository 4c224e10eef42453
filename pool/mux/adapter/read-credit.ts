import type { Duplex } from 'node:stream';

/** What was pushed and is not read yet: up to where in all that was pushed it goes, and what it costs. */
interface Waiting {
  readonly endsAt: number;
  readonly cost: number;
}

/** The credit of one client with us: taken when its bytes arrive, given back when the server has read them. */
export class ReadCredit {
  readonly #socket: Duplex;
  readonly #half: number;
  readonly #giveBack: (credit: number) => void;
  #left: number;
  #gone = 0;
  #pushed = 0;
  #waiting: Waiting[] = [];

  /** `giveBack` is told each time that half of the window was used and read. */
  constructor(socket: Duplex, window: number, giveBack: (credit: number) => void) {
    this.#socket = socket;
    this.#left = window;
    this.#half = window >> 1;
    this.#giveBack = giveBack;
    socket.on('data', () => {
      if (this.#waiting.length > 0) this.#onRead();
    });
  }

  /** Takes a cost; false, which is a breach, when the credit does not cover it. */
  covers(cost: number): boolean {
    this.#left -= cost;
    return this.#left >= 0;
  }

  /** So many bytes, which cost so much, were pushed: the server has them by now, or they wait for it. */
  onPushed(cost: number, bytes: number): void {
    this.#pushed += bytes;
    if (this.#waiting.length === 0 && this.#socket.readableLength === 0) this.#isGone(cost);
    else this.#waiting.push({ endsAt: this.#pushed, cost });
  }

  #onRead(): void {
    const readUpTo = this.#pushed - this.#socket.readableLength;
    let read = 0;
    while (read < this.#waiting.length && this.#waiting[read]!.endsAt <= readUpTo) {
      this.#isGone(this.#waiting[read]!.cost);
      read++;
    }
    this.#waiting.splice(0, read);
  }

  #isGone(cost: number): void {
    this.#gone += cost;
    if (this.#gone < this.#half) return;
    const credit = this.#gone;
    this.#gone = 0;
    this.#left += credit;
    this.#giveBack(credit);
  }
}
