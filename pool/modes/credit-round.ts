import type { Flushable, Turn } from '../turn.ts';
import type { MuxStream } from './mux-stream.ts';

/** Streams that look for credit to give back, once the messages of the turn are with the clients' sockets. */
export class CreditRound implements Flushable {
  readonly #turn: Turn;
  #streams: MuxStream[] = [];
  #scheduled = false;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  add(stream: MuxStream): void {
    this.#streams.push(stream);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.schedule(this);
  }

  /** Called by the turn; the outbox was scheduled before, by the message that needed the credit. */
  flush(): void {
    this.#scheduled = false;
    const streams = this.#streams;
    this.#streams = [];
    for (const stream of streams) stream.returnCredit();
  }
}
