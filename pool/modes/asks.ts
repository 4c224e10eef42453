import { copyBytes } from '../copy-bytes.ts';
import { ErrorCode, errorReply } from '../jsonrpc/errors.ts';
import { parseWireId } from '../jsonrpc/ids.ts';
import type { Scan } from '../jsonrpc/scan.ts';
import type { Channel } from './channel.ts';

/** A client that may be asked something; see request-lease.ts. */
export interface Respondent {
  /** Hands over a message in which the bytes from cutStart to cutEnd are replaced by the token. */
  deliverNotice(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    token: Uint8Array,
  ): void;
}

interface Ask {
  readonly respondent: Respondent;
  /** Undefined when its connection is gone: nobody waits for the response any more. */
  channel: Channel | undefined;
  /** The upstream's own id, as a JSON token. */
  readonly id: Uint8Array;
  readonly deadlineMs: number;
}

/** More that wait for clients' responses than an upstream has reason to ask. */
const maxAsks = 10_000;
const maxAsksPerClient = 100;

/** The JSON-RPC code for a method that nobody here answers. */
const methodNotFound = -32601;

/**
 * Requests of upstreams, each with the one client it was passed on to under an id made here; the response goes back under the
 * upstream's own. Every one gets an answer: from the client, or an error made here.
 */
export class Asks {
  readonly #asks = new Map<number, Ask>();
  readonly #byRespondent = new Map<Respondent, Set<number>>();
  #next = 1;

  get size(): number {
    return this.#asks.size;
  }

  /** Passes a request on to a client; false when too many wait already. */
  pass(
    respondent: Respondent,
    channel: Channel,
    scan: Scan,
    buf: Uint8Array,
    start: number,
    end: number,
    deadlineMs: number,
  ): boolean {
    const waiting = this.#byRespondent.get(respondent) ?? new Set<number>();
    if (this.#asks.size >= maxAsks || waiting.size >= maxAsksPerClient) return false;
    const number = this.#next++;
    this.#byRespondent.set(respondent, waiting.add(number));
    const { idStart, idEnd } = scan;
    this.#asks.set(number, { respondent, channel, id: copyBytes(buf, idStart, idEnd), deadlineMs });
    respondent.deliverNotice(buf, start, idStart, idEnd, end, Buffer.from(String(number)));
    return true;
  }

  /** Passes a client's response on to the upstream that asked; false when it was not asked that. */
  respond(respondent: Respondent, bytes: Uint8Array, start: number, end: number, scan: Scan): boolean {
    const number = scan.idStart < 0 ? -1 : parseWireId(bytes, scan.idStart, scan.idEnd);
    const ask = this.#asks.get(number);
    if (ask?.respondent !== respondent) return false;
    this.#forget(number, ask);
    const parts = [bytes.subarray(start, scan.idStart), ask.id, bytes.subarray(scan.idEnd, end)];
    ask.channel?.tell(Buffer.concat(parts));
    return true;
  }

  /** The client left: what it was asked stays without its answer. */
  leave(respondent: Respondent): void {
    for (const number of this.#byRespondent.get(respondent) ?? []) {
      this.#fail(number, ErrorCode.NoUpstream, 'The client that was asked is gone.');
    }
  }

  /** Nobody waits for the responses to what that connection asked. */
  onChannelGone(channel: Channel): void {
    for (const ask of this.#asks.values()) if (ask.channel === channel) ask.channel = undefined;
  }

  /** Answers for clients that take too long. */
  sweep(nowMs: number): void {
    for (const [number, { deadlineMs }] of this.#asks) {
      if (deadlineMs <= nowMs) this.#fail(number, ErrorCode.Timeout, 'The client did not answer in time.');
    }
  }

  /** Answers a request of an upstream that is for nobody, or for nobody known. */
  refuse(channel: Channel, scan: Scan, buf: Uint8Array): void {
    const words = 'Many clients share this connection, and it is not known which of them is asked.';
    channel.tell(errorReply(buf, scan.idStart, scan.idEnd, methodNotFound, words));
  }

  #fail(number: number, code: number, words: string): void {
    const ask = this.#asks.get(number)!;
    this.#forget(number, ask);
    ask.channel?.tell(errorReply(ask.id, 0, ask.id.length, code, words));
  }

  #forget(number: number, { respondent }: Ask): void {
    this.#asks.delete(number);
    const waiting = this.#byRespondent.get(respondent)!;
    waiting.delete(number);
    if (waiting.size === 0) this.#byRespondent.delete(respondent);
  }
}
