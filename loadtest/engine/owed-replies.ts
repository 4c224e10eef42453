import { isDeepStrictEqual } from 'node:util';
import { kinds } from '../result/failure-kinds.ts';
import { Failure } from './failure.ts';
import { sameMessage, type Message } from './message.ts';

/** How replies are checked. `echo`: the message itself, or its params as the result; `any`: each message has one reply. */
export type ReplyCheck = 'echo' | 'any';

/** A message that has no reply yet. */
export interface Owed {
  readonly message: Message;
  /** Set for a JSON-RPC request. */
  readonly id: number | undefined;
  readonly check: ReplyCheck;
  /** When it was sent, or should have been. */
  readonly sinceMs: number;
  /** Hears of its end: what kind of failure it was, undefined for its own reply. */
  readonly onSettled?: ((failure: string | undefined) => void) | undefined;
}

/** What a reply settles, and what is wrong with it. */
export interface Settled {
  readonly owed: Owed | undefined;
  readonly failure: Failure | undefined;
}

/** Of those given up, so many are known when their reply comes all the same. */
const mostLate = 1_000;
const nothing: Settled = { owed: undefined, failure: undefined };
const shownChars = 80;
const shownBefore = 20;

/** The messages of one connection that have no reply yet, oldest first. */
export class OwedReplies {
  readonly #owed: Owed[] = [];
  readonly #late: Owed[] = [];

  get size(): number {
    return this.#owed.length;
  }

  get oldest(): Owed | undefined {
    return this.#owed[0];
  }

  add(owed: Owed): void {
    this.#owed.push(owed);
  }

  /** Gives up what was sent before `sinceMs`, and returns how much that is. */
  dropBefore(sinceMs: number, why: string): number {
    let dropped = 0;
    while (this.#owed.length > 0 && this.#owed[0]!.sinceMs < sinceMs) {
      const late = this.#owed.shift()!;
      if (this.#late.push(late) > mostLate) this.#late.shift();
      late.onSettled?.(why);
      dropped++;
    }
    return dropped;
  }

  /** Gives up everything, and returns how much that is. */
  dropAll(why: string): number {
    const dropped = this.#owed.splice(0);
    for (const { onSettled } of dropped) onSettled?.(why);
    return dropped.length;
  }

  /**
   * Takes a reply: its message is settled, right or wrong. Without a match in content the oldest is the one meant, unless the reply is that of a
   * message that was given up, which was counted then.
   */
  settle(reply: Message): Settled {
    const oldest = this.#owed[0];
    if (oldest === undefined)
      return this.#isLate(reply)
        ? nothing
        : { owed: undefined, failure: new Failure(kinds.unasked, shown(reply)) };
    if (oldest.id !== undefined) return this.#settleCall(reply);
    if (oldest.check === 'any') return { owed: this.#take(0), failure: undefined };
    const at = this.#owed.findIndex(({ message }) => sameMessage(message, reply));
    if (at !== -1) return { owed: this.#take(at), failure: undefined };
    if (this.#isLate(reply)) return nothing;
    return { owed: this.#take(0), failure: wrong(reply, oldest.message) };
  }

  #settleCall(reply: Message): Settled {
    const answer = parsed(reply);
    if (answer === undefined) return this.#wrongCall(reply);
    // A notification of the server is no reply.
    if (answer.id === undefined && typeof answer.method === 'string') return nothing;
    const at = this.#owed.findIndex(({ id }) => id === answer.id);
    // `"error": null` beside a result is none.
    const error = answer.error ?? undefined;
    if (at === -1) {
      if (error !== undefined && (answer.id ?? null) === null) return this.#wrongCall(reply, codeOf(error));
      if (this.#isLate(reply)) return nothing;
      return { owed: undefined, failure: new Failure(kinds.unasked, shown(reply)) };
    }
    const owed = this.#take(at);
    if (error !== undefined)
      return { owed, failure: new Failure(kinds.errorReply(codeOf(error)), shown(reply)) };
    if (owed.check === 'any') return { owed, failure: undefined };
    const { params } = JSON.parse(Buffer.from(owed.message.bytes).toString()) as { params?: unknown };
    // A server that sends back whatever it gets is right as well.
    const right = isDeepStrictEqual(answer.result, params) || sameMessage(owed.message, reply);
    return { owed, failure: right ? undefined : wrong(reply, owed.message) };
  }

  #wrongCall(reply: Message, code?: number | string): Settled {
    const owed = this.#take(0);
    if (code !== undefined) return { owed, failure: new Failure(kinds.errorReply(code), shown(reply)) };
    return { owed, failure: wrong(reply, owed.message) };
  }

  /** True, once, for the reply to a message that was given up. */
  #isLate(reply: Message): boolean {
    if (this.#late.length === 0) return false;
    const answered = parsed(reply)?.id;
    const at = this.#late.findIndex(({ id, message }) =>
      id === undefined ? sameMessage(message, reply) : id === answered,
    );
    if (at !== -1) this.#late.splice(at, 1);
    return at !== -1;
  }

  #take(at: number): Owed {
    return this.#owed.splice(at, 1)[0]!;
  }
}

interface Answer {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A number, or words: kinds of failures are few, whatever a server says. */
function codeOf(error: unknown): number | string {
  const code = (error as { code?: unknown }).code;
  return typeof code === 'number' ? code : 'without a code';
}

function parsed(reply: Message): Answer | undefined {
  try {
    const answer: unknown = JSON.parse(Buffer.from(reply.bytes).toString());
    return typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? answer : undefined;
  } catch {
    return undefined;
  }
}

function wrong(reply: Message, sent: Message): Failure {
  const at = firstDifference(reply.bytes, sent.bytes);
  return new Failure(kinds.wrongReply, `to ${shown(sent, at)} came ${shown(reply, at)}`);
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  return at;
}

/** A piece of a message around `at`, fit for a line. */
function shown({ bytes, isBinary }: Message, at = 0): string {
  const from = at < shownChars ? 0 : at - shownBefore;
  const piece = Buffer.from(bytes.subarray(from, from + shownChars)).toString('latin1');
  const [before, after] = [from > 0 ? '… ' : '', from + shownChars < bytes.length ? ' …' : ''];
  return `${isBinary ? 'binary' : 'text'} ${before}${JSON.stringify(piece)}${after} (${bytes.length} bytes)`;
}
