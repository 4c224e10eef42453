/** Messages of one block: a bit each. */
const blockBits = 1 << 16;

interface Block {
  readonly number: number;
  readonly bits: Int32Array;
  owed: number;
}

/** Which messages have no answer yet, a bit each. What is answered to the last takes no memory. */
export class Ledger {
  /** Those that are being written no more, and in which something is owed. */
  readonly #older = new Map<number, Block>();
  #newest: Block = emptyBlock(0);
  #owed = 0;

  /** How many messages have no answer. */
  get owed(): number {
    return this.#owed;
  }

  /** An answer to the message is owed from now on. Each is sent once, in the order of their numbers. */
  owe(message: number): void {
    const number = Math.floor(message / blockBits);
    if (number !== this.#newest.number) this.#begin(number);
    const block = this.#newest;
    const bit = message % blockBits;
    block.bits[bit >> 5]! |= 1 << (bit & 31);
    block.owed++;
    this.#owed++;
  }

  /** The message is answered; returns false when no answer was owed. */
  settle(message: number): boolean {
    const number = Math.floor(message / blockBits);
    const block = number === this.#newest.number ? this.#newest : this.#older.get(number);
    if (block === undefined) return false;
    const bit = message % blockBits;
    const mask = 1 << (bit & 31);
    if ((block.bits[bit >> 5]! & mask) === 0) return false;
    block.bits[bit >> 5]! &= ~mask;
    block.owed--;
    this.#owed--;
    if (block.owed === 0) this.#older.delete(number);
    return true;
  }

  #begin(number: number): void {
    if (this.#newest.owed > 0) this.#older.set(this.#newest.number, this.#newest);
    this.#newest = emptyBlock(number);
  }
}

function emptyBlock(number: number): Block {
  return { number, bits: new Int32Array(blockBits / 32), owed: 0 };
}
