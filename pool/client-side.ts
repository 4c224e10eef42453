/** How a charge may end; above 0 it is refused, and could come again after as many milliseconds. */
export const Charge = {
  /** The request may go, and is paid for. */
  paid: 0,
  /** Nothing is to be done with the message that it is in: that comes again, or its client is being closed. */
  notNow: -1,
  /** It is to be forgotten without an answer. */
  dropped: -2,
} as const;

/** Where a request stands in a message, and its method name; −1 when it has none. */
export interface RequestRange {
  readonly start: number;
  readonly end: number;
  readonly methodStart: number;
  readonly methodEnd: number;
}

/** What a client may still send. */
export interface ClientAllowance {
  /** False when there is nothing to ask. */
  readonly isLimited: boolean;
  /** Asks for a request of this size, whose method name, if it has one, stands at `methodStart` of `buf`, else −1; a `Charge`. */
  charge(bytes: number, buf: Uint8Array, methodStart: number, methodEnd: number): number;
  /** Asks for all requests of a batch; a `Charge` for each, or undefined when nothing is to be done with any of them now. */
  chargeBatch(buf: Uint8Array, requests: readonly RequestRange[]): readonly number[] | undefined;
}

/** By what a client is known in the log. */
export interface ClientName {
  /** Its own among all that this gateway has had. */
  readonly id: number;
  /** What the client, or a proxy before it, calls its connection; '' for nothing. */
  readonly requestId: string;
}

/** What a pool needs of the client connection that holds a lease. */
export interface ClientSide extends ClientAllowance, ClientName {
  /** Hands over a message from an upstream; the bytes are copied, and sent at the end of this turn. */
  deliver(buf: Uint8Array, start: number, end: number, isBinary: boolean): void;
  /** Like `deliver` for a text, with the bytes from cutStart to cutEnd replaced by id[idStart..idEnd). */
  deliverSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void;
  /** Sends a message at once. */
  send(bytes: Uint8Array, isBinary: boolean): void;
  /** The upstream of this client alone closed: passes its code and reason on. 1006 stands for "without a close frame". */
  onUpstreamClose(code: number, reason: string): void;
  /**
   * Bytes sent to the client that its socket has not taken; what was delivered in this turn may be missing. The lease
   * hears of it (`onClientRead`) when they have become fewer.
   */
  unreadBytes(): number;
  /** The client does not read what it is sent: ends it. */
  endSlowReader(): void;
}

/** A place in a pool for a client that is about to connect. */
export interface Seat {
  /** The subprotocol to answer with, or ''. */
  readonly protocol: string;
  /** Gives the place to the client. What an upstream said before is delivered first. */
  attach(client: ClientSide): Lease;
  /** The client did not come. */
  vacate(): void;
}

/** Why there is no seat: `status` is set when the upstream itself refused the client with that HTTP status. */
export interface NoSeat {
  readonly status: number | undefined;
  readonly retryAfterMs: number;
}

export interface SeatHandlers {
  onSeat(seat: Seat): void;
  onRefused(refusal: NoSeat): void;
}

/** What one client has under way: sent and not answered, and held until it can be sent. */
export interface LeaseFigures {
  readonly inFlight: number;
  readonly waiting: number;
}

/** One client's hold on a pool, from its first message to `release`. */
export interface Lease {
  /** True when it charges the client for each request it finds; otherwise its messages are charged before they are sent. */
  readonly chargesRequests: boolean;
  /** Takes one message of the client. False when it could not be taken because the upstream reads too slowly. */
  send(bytes: Uint8Array, isBinary: boolean): boolean;
  /** True while a reply is due, so that a drain waits for it. */
  readonly busy: boolean;
  /** What it has under way now, for operators. */
  figures(): LeaseFigures;
  /** The client has read some of what was unread. */
  onClientRead?(): void;
  /** From now on requests are refused: the client is about to be told to go. */
  refuseNew(): void;
  /** The client closed or was closed, with this code; ends the lease. Throws on a second call. */
  release(code: number, reason: string): void;
}

/** What the gateway wants to know about single requests; all of it on the hot path. */
export interface PoolObserver {
  /** Time from a client's message to its reply. */
  replied(seconds: number): void;
  /** Time from sending to an upstream to its reply. */
  upstreamAnswered(seconds: number): void;
  /** A request ended in this JSON-RPC error code, made here. */
  refused(code: number): void;
  /** What takes at least so many milliseconds is slow; Infinity when nothing is. */
  readonly slowMs: number;
  /** A request was slow, or had no answer in time; '' for an upstream or method that is not known. */
  slow(client: ClientName, durationMs: number, upstream: string, method: string): void;
}
