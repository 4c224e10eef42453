import { dataCost } from './frames.ts';

const NONE: Buffer = Buffer.alloc(0);

/** How a part was received. */
export type PartOutcome = 'taken' | 'too-big' | 'other-kind';

/** What one stream receives: the parts of a message that is not complete, and the credit that is to be given back. */
export class Incoming {
  readonly #window: number;
  readonly #maxMessageBytes: number;
  /** Cost of what was received and not given back. */
  #used = 0;
  #message = NONE;
  #messageBytes = 0;
  #isOpen = false;
  #isBinary = false;

  constructor(window: number, maxMessageBytes: number) {
    this.#window = window;
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** A message has begun and is not complete. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Enough was received to give some back. */
  get isDue(): boolean {
    return this.#used * 2 >= this.#window;
  }

  /** Pays for a frame; false when the sender had no credit for it. */
  pay(payloadBytes: number): boolean {
    this.#used += dataCost(payloadBytes);
    return this.#used <= this.#window;
  }

  /** Takes credit to give back while so many bytes have not gone on; 0 when it is too little yet to be worth a frame. */
  giveBack(unreadBytes: number): number {
    const credit = this.#used - unreadBytes;
    if (credit * 2 < this.#window) return 0;
    this.#used -= credit;
    return credit;
  }

  /** Keeps one part of a message. */
  append(buf: Uint8Array, start: number, end: number, isBinary: boolean): PartOutcome {
    if (this.#isOpen && isBinary !== this.#isBinary) return 'other-kind';
    const needed = this.#messageBytes + end - start;
    if (needed > this.#maxMessageBytes) return 'too-big';
    this.#isOpen = true;
    this.#isBinary = isBinary;
    if (needed > this.#message.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#maxMessageBytes, needed * 2));
      this.#message.copy(larger, 0, 0, this.#messageBytes);
      this.#message = larger;
    }
    this.#message.set(buf.subarray(start, end), this.#messageBytes);
    this.#messageBytes = needed;
    return 'taken';
  }

  /** The message that is complete now. */
  takeMessage(): Uint8Array {
    const message = this.#message.subarray(0, this.#messageBytes);
    this.forget();
    return message;
  }

  /** Drops what was kept. */
  forget(): void {
    this.#message = NONE;
    this.#messageBytes = 0;
    this.#isOpen = false;
  }
}
