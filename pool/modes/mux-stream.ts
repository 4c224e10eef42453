import type {
  ClientSide,
  Lease,
  LeaseFigures,
  NoSeat,
  PoolObserver,
  Seat,
  SeatHandlers,
} from '../client-side.ts';
import { copyBytes } from '../copy-bytes.ts';
import type { DialRequest } from '../dial.ts';
import { Incoming } from '../mux/incoming.ts';
import { Outgoing } from '../mux/outgoing.ts';
import { VANISHED_CODE } from '../mux/frames.ts';
import type { Waiter, WaitRing } from '../waiting/queue.ts';
import { isValidUtf8 } from '../wire/utf8.ts';
import type { ChannelStream, MuxChannel } from './mux-channel.ts';
import { openingOf } from './mux-opening.ts';

/** What a stream needs of its pool. */
export interface MuxStreamHost {
  readonly now: () => number;
  readonly observer: PoolObserver;
  /** Messages of clients that went on, so far. */
  passedOn: number;
  /** What the backend may send on a stream before the client has taken it. */
  readonly windowBytes: number;
  /** The longest message that the backend may send. */
  readonly maxMessageBytes: number;
  /** What a client may have waiting; one message may go beyond. */
  readonly maxHeldBytes: number;
  readonly retryAfterMs: number;
  /** Calls `returnCredit` of the stream when this turn's messages are with the clients' sockets. */
  checkCreditLater(stream: MuxStream): void;
  /** The client does not read: `onSweep` is called until `unwatch`. */
  watch(stream: MuxStream): void;
  unwatch(stream: MuxStream): void;
  /** The stream's connection was lost before the client had its answer: it is opened again, or refused. */
  reopen(stream: MuxStream): void;
  /** The stream's connection was lost: true when it will be opened again. */
  suspend(stream: MuxStream): boolean;
  /** The stream is about to end: `onCloseOverdue` is called when that takes too long. */
  awaitClose(stream: MuxStream): void;
  /** The stream is over. */
  forget(stream: MuxStream): void;
}

/** Where a stream stands, in the order in which it goes on. */
const State = {
  /** It has no connection. */
  waiting: 0,
  /** OPEN was sent. */
  opening: 1,
  open: 2,
  /** The client has left, and something it said before is still to be sent. */
  leaving: 3,
  /** Our CLOSE was sent, that of the backend is awaited. */
  closing: 4,
  over: 5,
} as const;

const answerDueMs = 5_000;
/** A client that does not read a byte for so long while something waits for it is ended. */
const stalledMs = 5_000;
const noProtocol = 1002;

/** One client in mux mode, on a stream of a shared connection: first a place to be had, then that client's lease. */
export class MuxStream implements ChannelStream, Seat, Lease {
  readonly chargesRequests = false;
  id = 0;
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
  protocol = '';
  /** How long it may wait for a connection. */
  deadlineMs = 0;
  /** When it has to be over, once it is ending. */
  closeDueMs = 0;
  readonly #host: MuxStreamHost;
  readonly #request: DialRequest;
  readonly #outgoing = new Outgoing();
  #incoming: Incoming;
  /** Until the client has its seat, or was refused. */
  #handlers: SeatHandlers | undefined;
  #channel: MuxChannel | undefined;
  #client: ClientSide | undefined;
  #openedAtMs = 0;
  /** OPEN is not answered yet. */
  #isAsking = false;
  #state: number = State.waiting;
  /** It was on another stream before, and its client does not know. */
  #resumed = false;
  #released = false;
  /** How the client left. */
  #closeCode = 0;
  #closeReason = '';
  /** What the backend said before there was a client. */
  #greeting: { bytes: Uint8Array; isBinary: boolean }[] = [];
  #greetingBytes = 0;
  #creditPending = false;
  #isWatched = false;
  #readAtMs = 0;
  /** When the oldest message was sent that nothing has come back for; 0 when none. */
  #sentAtMs = 0;

  constructor(request: DialRequest, handlers: SeatHandlers, host: MuxStreamHost) {
    this.#request = request;
    this.#handlers = handlers;
    this.#host = host;
    this.#incoming = new Incoming(host.windowBytes, host.maxMessageBytes);
  }

  get isAlive(): boolean {
    return this.#state === State.open;
  }

  /** After a while of silence a message is taken for one that needs no answer. */
  get busy(): boolean {
    return this.awaitsAnswer || (this.#outgoing.isHolding && this.#state < State.closing);
  }

  get awaitsAnswer(): boolean {
    return this.isAlive && this.#sentAtMs !== 0 && this.#host.now() - this.#sentAtMs < answerDueMs;
  }

  /** What it sent goes unanswered, for all that is known; what is held waits for the backend. */
  figures(): LeaseFigures {
    return { inFlight: this.busy ? 1 : 0, waiting: this.#outgoing.isHolding ? 1 : 0 };
  }

  /** Opens the stream on a channel that is available. */
  openOn(channel: MuxChannel): void {
    const json = openingOf(this.#request, this.#host.windowBytes, this.#resumed);
    if (json === undefined) return this.refuse({ status: 431, retryAfterMs: 0 });
    this.#incoming = new Incoming(this.#host.windowBytes, this.#host.maxMessageBytes);
    this.#state = State.opening;
    this.#openedAtMs = this.#host.now();
    this.#channel = channel;
    this.#isAsking = true;
    channel.endpoint.asked(this.#openedAtMs);
    channel.open(this, json);
  }

  /** There is no place for the client. */
  refuse(refusal: NoSeat): void {
    const handlers = this.#handlers;
    this.#end();
    if (handlers !== undefined) handlers.onRefused(refusal);
    else this.#client?.onUpstreamClose(1013, 'no upstream is available, try again later');
  }

  /** The client does not wait any longer. */
  giveUp(): void {
    if (this.#handlers === undefined) return;
    this.#handlers = undefined;
    this.#leave(VANISHED_CODE, '');
  }

  attach(client: ClientSide): this {
    this.#client = client;
    for (const { bytes, isBinary } of this.#greeting) client.deliver(bytes, 0, bytes.length, isBinary);
    this.#greeting = [];
    this.#greetingBytes = 0;
    if (this.#incoming.isDue) this.#checkCreditLater();
    return this;
  }

  vacate(): void {
    this.release(1001, '');
  }

  send(bytes: Uint8Array, isBinary: boolean): boolean {
    if (this.#state > State.open) return true;
    const channel = this.#channel;
    if (this.#state === State.open && channel!.writable && this.#outgoing.payWhole(bytes.length)) {
      if (this.#sentAtMs === 0) this.#sentAtMs = this.#host.now();
      this.#host.passedOn++;
      channel!.data(this, bytes, 0, bytes.length, isBinary, true);
      return true;
    }
    if (this.#outgoing.heldBytes > this.#host.maxHeldBytes) return false;
    this.#host.passedOn++;
    this.#outgoing.hold(bytes, isBinary);
    this.#wantToSend();
    return true;
  }

  refuseNew(): void {
    // Nothing is refused: until its close frame a client goes on.
  }

  release(code: number, reason: string): void {
    if (this.#released) throw new Error('bug: a lease was released twice');
    this.#released = true;
    this.#client = undefined;
    this.#leave(code, reason);
  }

  onClientRead(): void {
    if (!this.#isWatched) return;
    this.#readAtMs = this.#host.now();
    this.returnCredit();
  }

  /** Gives the backend credit for what the client has read. */
  returnCredit(): void {
    this.#creditPending = false;
    if (this.#state !== State.open && this.#state !== State.leaving) return;
    const credit = this.#incoming.giveBack(this.#client?.unreadBytes() ?? this.#greetingBytes);
    if (credit > 0) {
      this.#channel!.window(this, credit);
      this.#unwatch();
    } else if (this.#incoming.isDue && !this.#isWatched) {
      this.#isWatched = true;
      this.#readAtMs = this.#host.now();
      this.#host.watch(this);
    }
  }

  /** Ends the client when it has not read for too long. */
  onSweep(nowMs: number): void {
    if (nowMs - this.#readAtMs < stalledMs) return;
    this.#unwatch();
    this.#client?.endSlowReader();
  }

  sendHeld(budgetBytes: number): boolean {
    this.#outgoing.send(budgetBytes, this.#writePart);
    if (this.#outgoing.canSend) return true;
    if (this.#state === State.leaving && !this.#outgoing.isHolding) this.#sendClose();
    return false;
  }

  onAccept(window: number, protocol: string): void {
    this.#tellAnswered();
    if (this.#state === State.closing) return;
    if (this.#state !== State.opening) return this.#channel!.breach('an ACCEPT that nobody waits for');
    if (protocol !== '' && !this.#request.protocols.includes(protocol)) return this.#onWrongProtocol();
    // Whoever was told another subprotocol cannot change it.
    if (this.#resumed && protocol !== this.protocol) return this.#onWrongProtocol();
    this.#state = State.open;
    this.protocol = protocol;
    this.#outgoing.grant(window);
    const handlers = this.#handlers;
    this.#handlers = undefined;
    handlers?.onSeat(this);
    if (this.#outgoing.canSend) this.#wantToSend();
  }

  onRefuse(status: number): void {
    this.#tellAnswered(status >= 500);
    if (this.#state === State.closing) return this.#end();
    if (this.#state !== State.opening) return this.#channel!.breach('a REFUSE that nobody waits for');
    this.refuse({
      status: status >= 400 && status <= 599 ? status : undefined,
      retryAfterMs: this.#host.retryAfterMs,
    });
  }

  onData(buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): void {
    if (this.#state === State.closing) return;
    if (this.#state === State.opening) return this.#channel!.breach('DATA before ACCEPT');
    if (!this.#incoming.pay(end - start)) return this.#channel!.breach('DATA without the credit for it');
    if (!isLast || this.#incoming.isOpen) this.#onPart(buf, start, end, isBinary, isLast);
    else this.#deliver(buf, start, end, isBinary);
    if (this.#incoming.isDue) this.#checkCreditLater();
  }

  onWindow(credit: number): void {
    if (this.#state === State.closing) return;
    if (this.#state === State.opening) return this.#channel!.breach('WINDOW before ACCEPT');
    if (!this.#outgoing.grant(credit)) return this.#channel!.breach('a WINDOW that is too large');
    if (this.#outgoing.canSend) this.#wantToSend();
  }

  onClose(code: number, reason: string): void {
    if (this.#state === State.opening) return this.#channel!.breach('CLOSE before ACCEPT');
    this.#tellAnswered();
    if (this.#state !== State.closing) this.#channel!.sendClose(this, code, reason);
    const client = this.#client;
    this.#end();
    client?.onUpstreamClose(code, reason);
  }

  onChannelLost(): void {
    const wasOpening = this.#state === State.opening && this.#handlers !== undefined;
    const wasOpen = this.#state === State.open || this.#state === State.opening;
    this.#channel = undefined;
    this.#unwatch();
    this.#incoming.forget();
    if (wasOpening) {
      this.#state = State.waiting;
      return this.#host.reopen(this);
    }
    if (wasOpen && this.#client !== undefined && this.#host.suspend(this)) {
      this.#state = State.waiting;
      this.#resumed = true;
      this.#outgoing.restart();
      return;
    }
    const client = this.#client;
    this.#end();
    client?.onUpstreamClose(VANISHED_CODE, '');
  }

  /** The backend has not taken the client's last words, or not answered our CLOSE, in time. */
  onCloseOverdue(): void {
    if (this.#state === State.leaving) return this.#sendClose(VANISHED_CODE, '');
    if (this.#isAsking) this.#channel!.endpoint.timedOut(this.#openedAtMs, this.#host.now());
    this.#end();
  }

  readonly #writePart = (
    buf: Uint8Array,
    start: number,
    end: number,
    isBinary: boolean,
    isLast: boolean,
  ): void => {
    if (this.#sentAtMs === 0) this.#sentAtMs = this.#host.now();
    this.#channel!.data(this, buf, start, end, isBinary, isLast);
  };

  /** The backend has answered OPEN, with whatever. */
  #tellAnswered(faulty = false): void {
    if (!this.#isAsking) return;
    this.#isAsking = false;
    this.#channel!.endpoint.answered(this.#openedAtMs, this.#host.now(), faulty);
  }

  #wantToSend(): void {
    if (this.#state !== State.open && this.#state !== State.leaving) return;
    if (this.#outgoing.canSend) this.#channel!.want(this);
  }

  #checkCreditLater(): void {
    if (this.#creditPending || this.#isWatched) return;
    this.#creditPending = true;
    this.#host.checkCreditLater(this);
  }

  /** A text that is not UTF-8, or a message that is too long, ends this stream and no other. */
  #onPart(buf: Uint8Array, start: number, end: number, isBinary: boolean, isLast: boolean): void {
    const outcome = this.#incoming.append(buf, start, end, isBinary);
    if (outcome === 'other-kind') return this.#channel!.breach('parts of two kinds in one message');
    if (outcome === 'too-big') return this.#endBadly(1009, 'message too big');
    if (!isLast) return;
    const message = this.#incoming.takeMessage();
    this.#deliver(message, 0, message.length, isBinary);
  }

  #deliver(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (end - start > this.#host.maxMessageBytes) return this.#endBadly(1009, 'message too big');
    if (!isBinary && !isValidUtf8(buf, start, end)) return this.#endBadly(1007, 'text that is not UTF-8');
    if (this.#state === State.leaving) return;
    if (this.#client === undefined) return this.#keepGreeting(buf, start, end, isBinary);
    this.#client.deliver(buf, start, end, isBinary);
    if (this.#sentAtMs === 0) return;
    const { now, observer } = this.#host;
    const tookMs = now() - this.#sentAtMs;
    this.#sentAtMs = 0;
    observer.replied(tookMs / 1_000);
    observer.upstreamAnswered(tookMs / 1_000);
    if (tookMs >= observer.slowMs) observer.slow(this.#client, tookMs, this.#channel!.endpoint.label, '');
  }

  #keepGreeting(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#greeting.push({ bytes: copyBytes(buf, start, end), isBinary });
    this.#greetingBytes += end - start;
  }

  #onWrongProtocol(): void {
    this.#sendClose(noProtocol, 'this subprotocol was not offered');
    const handlers = this.#handlers;
    this.#handlers = undefined;
    if (handlers !== undefined) {
      handlers.onRefused({ status: undefined, retryAfterMs: this.#host.retryAfterMs });
    } else this.#client?.onUpstreamClose(VANISHED_CODE, '');
  }

  #endBadly(code: number, reason: string): void {
    this.#sendClose(code, reason);
    this.#client?.onUpstreamClose(VANISHED_CODE, '');
  }

  /** Says goodbye for the client, after what it said before; 1006: it vanished, and with it what it still had to say. */
  #leave(code: number, reason: string): void {
    if (this.#state >= State.leaving) return;
    if (this.#state === State.waiting) return this.#end();
    this.#closeCode = code;
    // Where there was no close frame, there was no reason in it.
    this.#closeReason = code === VANISHED_CODE ? '' : reason;
    if (code === VANISHED_CODE || this.#state === State.opening || !this.#outgoing.isHolding) {
      this.#sendClose();
      return;
    }
    this.#state = State.leaving;
    this.#host.awaitClose(this);
    // Nobody reads any more, so nothing waits to be read.
    if (this.#incoming.isDue) this.returnCredit();
  }

  #sendClose(code = this.#closeCode, reason = this.#closeReason): void {
    const channel = this.#channel!;
    channel.unwant(this);
    channel.sendClose(this, code, reason);
    this.#host.awaitClose(this);
    this.#state = State.closing;
    this.#outgoing.forget();
    this.#incoming.forget();
    this.#unwatch();
  }

  #end(): void {
    const channel = this.#channel;
    const hadChannel = channel !== undefined && this.#state !== State.over;
    this.#host.forget(this);
    this.#state = State.over;
    this.#channel = undefined;
    this.#handlers = undefined;
    this.#outgoing.forget();
    this.#incoming.forget();
    this.#unwatch();
    if (hadChannel) channel.remove(this);
  }

  #unwatch(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#host.unwatch(this);
  }
}
