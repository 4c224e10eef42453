import type { MessageCodec } from '../codec/message-codec.ts';
import type { Seat } from '../pool/client-side.ts';
import type { ClientKeys } from '../ratelimit/limit-config.ts';
import { reject, type Handshake, type Rejection } from './handshake.ts';
import type { Answer, UpgradeTerms } from './listener.ts';

/** What an accepted upgrade hands to the connection it becomes. */
export interface Seated {
  readonly seat: Seat;
  readonly keys: ClientKeys;
  /** What its messages are packed with; undefined for plain ones. */
  readonly codec: MessageCodec | undefined;
  /** By which it is found in other logs; '' for nothing. */
  readonly requestId: string;
}

export interface ArrivalOptions {
  readonly handshake: Handshake;
  readonly keys: ClientKeys;
  readonly codec: MessageCodec | undefined;
  readonly requestId: string;
  readonly codecHeaders: UpgradeTerms['headers'];
  readonly answer: Answer<Seated>;
  readonly timeoutMs: number;
  readonly reject: (rejection: Rejection) => void;
  /** The client will not come: it is counted out. */
  readonly onLeft: () => void;
  /** It is decided, one way or the other. */
  readonly onSettled: () => void;
}

/** One client between its handshake and its seat. It ends in exactly one way: seated, turned away, or gone. */
export class Arrival {
  readonly #options: ArrivalOptions;
  readonly #deadline: NodeJS.Timeout;
  #giveUp: (() => void) | undefined;
  #settled = false;

  constructor(options: ArrivalOptions) {
    this.#options = options;
    const late = reject('deadline', 503, 'no upstream answered in time: try again later', [
      ['Retry-After', '1'],
    ]);
    this.#deadline = setTimeout(() => this.turnAway(late), options.timeoutMs);
    options.answer.onGone(() => {
      if (this.#settle()) options.onLeft();
    });
  }

  /** A seat is being looked for, until this is called. */
  waitFor(giveUp: () => void): void {
    if (!this.#settled) this.#giveUp = giveUp;
  }

  /** Opens the connection, or gives the seat back when there is nobody to seat. */
  take(seat: Seat): void {
    if (this.#settled) {
      seat.vacate();
      return;
    }
    this.#giveUp = undefined;
    const { answer, handshake, keys, codec, requestId, codecHeaders, onLeft } = this.#options;
    const protocol = seat.protocol === '' ? handshake.codecProtocol : seat.protocol;
    // What a codec has packed, an extension would only pack again.
    const extensions = codec === undefined ? handshake.extensions : '';
    let seated = false;
    try {
      seated = answer.upgrade(
        { seat, keys, codec, requestId },
        { key: handshake.key, extensions, protocol, headers: codecHeaders },
      );
    } finally {
      this.#settle();
      if (!seated) {
        onLeft();
        seat.vacate();
      }
    }
  }

  turnAway(rejection: Rejection): void {
    if (!this.#settle()) return;
    this.#options.onLeft();
    this.#options.reject(rejection);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#deadline);
    this.#giveUp?.();
    this.#options.onSettled();
    return true;
  }
}
