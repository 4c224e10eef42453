import type { ClientSide, Lease, LeaseFigures, PoolObserver, Seat } from '../client-side.ts';
import { copyBytes } from '../copy-bytes.ts';
import type { Endpoint } from '../endpoint.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream.ts';

/** What a lease needs of its pool. */
export interface SessionHost {
  readonly now: () => number;
  readonly observer: PoolObserver;
  readonly maxGreetingBytes: number;
  /** Messages of clients that went on, so far. */
  passedOn: number;
  /** The lease's upstream is closed or given up; with 1000 by us, with 1006 without a close frame. */
  onEnded(lease: SessionLease, code: number): void;
}

const answerDueMs = 5_000;
/** What keeping a message costs beyond its bytes. */
const messageOverheadBytes = 128;

/** One upstream connection, first waiting for a client, then that client's alone. */
export class SessionLease implements Seat, Lease, UpstreamOwner {
  readonly chargesRequests = false;
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;
  readonly #host: SessionHost;
  #client: ClientSide | undefined;
  /** What the upstream said before there was a client. */
  #greeting: { bytes: Uint8Array; isBinary: boolean }[] = [];
  #greetingBytes = 0;
  /** When the oldest message was sent that nothing has come back for; 0 when none. */
  #sentAtMs = 0;
  #ended = false;
  #released = false;

  constructor(upstream: UpstreamConnection, endpoint: Endpoint, host: SessionHost) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#host = host;
    upstream.owner = this;
  }

  get protocol(): string {
    return this.upstream.protocol;
  }

  /** An answer seems due; after a while of silence it is taken for a message that needs none. */
  get busy(): boolean {
    if (this.#ended) return false;
    if (this.upstream.transcoding) return true;
    return this.#sentAtMs !== 0 && this.#host.now() - this.#sentAtMs < answerDueMs;
  }

  attach(client: ClientSide): this {
    this.#client = client;
    for (const { bytes, isBinary } of this.#greeting) client.deliver(bytes, 0, bytes.length, isBinary);
    this.#greeting = [];
    return this;
  }

  vacate(): void {
    this.release(1001, '');
  }

  send(bytes: Uint8Array, isBinary: boolean): boolean {
    if (this.#ended) return true;
    if (this.upstream.stalled) return false;
    this.#host.passedOn++;
    this.upstream.send(bytes, 0, bytes.length, isBinary);
    if (this.#sentAtMs === 0) this.#sentAtMs = this.#host.now();
    return true;
  }

  /** Of messages that are not looked into it is only known whether an answer seems due. */
  figures(): LeaseFigures {
    return { inFlight: this.busy ? 1 : 0, waiting: 0 };
  }

  refuseNew(): void {
    // Nothing is refused: until its close frame a session goes on.
  }

  release(code: number, reason: string): void {
    if (this.#released) throw new Error('bug: a lease was released twice');
    this.#released = true;
    this.#client = undefined;
    if (this.#ended) return;
    this.#ended = true;
    this.#host.onEnded(this, 1000);
    // 1006: the client vanished without a close frame, and so does its upstream connection.
    if (code === 1006) this.upstream.destroy();
    else this.upstream.close(code, reason);
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (this.#client === undefined) return this.#keepGreeting(copyBytes(buf, start, end), isBinary);
    this.#client.deliver(buf, start, end, isBinary);
    if (this.#sentAtMs === 0) return;
    const nowMs = this.#host.now();
    const sentAtMs = this.#sentAtMs;
    const seconds = (nowMs - sentAtMs) / 1_000;
    this.endpoint.answered(sentAtMs, nowMs, false);
    this.#sentAtMs = 0;
    const { observer } = this.#host;
    observer.replied(seconds);
    observer.upstreamAnswered(seconds);
    const tookMs = nowMs - sentAtMs;
    if (tookMs >= observer.slowMs) observer.slow(this.#client, tookMs, this.endpoint.label, '');
  }

  onUpstreamWritable(): void {
    // A stalled session was closed already.
  }

  onUpstreamGone(code: number, reason: string): void {
    this.#ended = true;
    this.#host.onEnded(this, code);
    this.#client?.onUpstreamClose(code, reason);
  }

  #keepGreeting(bytes: Uint8Array, isBinary: boolean): void {
    this.#greeting.push({ bytes, isBinary });
    this.#greetingBytes += bytes.length + messageOverheadBytes;
    if (this.#greetingBytes <= this.#host.maxGreetingBytes) return;
    this.#ended = true;
    this.upstream.close(1008, 'too much was sent before there was a client');
    this.#host.onEnded(this, 1000);
  }
}
