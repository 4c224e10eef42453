import { copyBytes } from '../copy-bytes.ts';
import { affordableBytes, dataCost, maxCredit, maxPartBytes } from './frames.ts';

/** Writes one part of a message. */
export type PartWriter = (
  buf: Uint8Array,
  start: number,
  end: number,
  isBinary: boolean,
  isLast: boolean,
) => void;

interface HeldMessage {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** What holding a message costs beyond its bytes. */
const messageOverheadBytes = 128;

/** What one stream sends: its credit with the peer, and the messages that wait for it or for the connection, in their order. */
export class Outgoing {
  #credit = 0;
  #held: HeldMessage[] = [];
  #heldBytes = 0;
  /** How much of the first message was sent. */
  #sent = 0;

  get credit(): number {
    return this.#credit;
  }

  get isHolding(): boolean {
    return this.#held.length > 0;
  }

  /** What is held and not sent, and what holding it costs beyond that. */
  get heldBytes(): number {
    return this.#heldBytes - this.#sent;
  }

  /** True when something is held, and the credit pays for a part of it. */
  get canSend(): boolean {
    const first = this.#held[0];
    return first !== undefined && this.#partEnd(first.bytes) >= 0;
  }

  /** Adds credit; false when there is more than may be. */
  grant(credit: number): boolean {
    this.#credit += credit;
    return this.#credit <= maxCredit;
  }

  /** Pays for a message that goes in one frame; false when it cannot, or has to wait for others. */
  payWhole(bytes: number): boolean {
    const cost = dataCost(bytes);
    if (cost > this.#credit || bytes > maxPartBytes || this.#held.length > 0) return false;
    this.#credit -= cost;
    return true;
  }

  /** Keeps a copy of a message until it can be sent. */
  hold(bytes: Uint8Array, isBinary: boolean): void {
    this.#held.push({ bytes: copyBytes(bytes, 0, bytes.length), isBinary });
    this.#heldBytes += bytes.length + messageOverheadBytes;
  }

  /** Writes what is held, as far as the credit goes, until about `budgetBytes` are written. */
  send(budgetBytes: number, write: PartWriter): void {
    let left = budgetBytes;
    let done = 0;
    while (left > 0 && done < this.#held.length) {
      const { bytes, isBinary } = this.#held[done]!;
      const end = this.#partEnd(bytes);
      if (end < 0) break;
      const isLast = end === bytes.length;
      const cost = dataCost(end - this.#sent);
      this.#credit -= cost;
      left -= cost;
      write(bytes, this.#sent, end, isBinary, isLast);
      this.#sent = isLast ? 0 : end;
      if (!isLast) continue;
      this.#heldBytes -= bytes.length + messageOverheadBytes;
      done++;
    }
    if (done > 0) this.#held.splice(0, done);
  }

  /** Begins anew with another peer: what was sent in part is sent again from its start. */
  restart(): void {
    this.#credit = 0;
    this.#sent = 0;
  }

  /** Drops what is held. */
  forget(): void {
    this.#held = [];
    this.#heldBytes = 0;
    this.#sent = 0;
  }

  /** Where the next part of the message ends; −1 when the credit does not pay for any, or for nothing but an empty one. */
  #partEnd(bytes: Uint8Array): number {
    const affordable = affordableBytes(this.#credit);
    const left = bytes.length - this.#sent;
    if (affordable >= left) return bytes.length;
    return affordable > 0 ? this.#sent + affordable : -1;
  }
}
