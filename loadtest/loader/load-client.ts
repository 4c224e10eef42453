import { RawConnection } from './raw-connection.ts';
import { ReplyChecker } from './reply-checker.ts';
import { addToCounter, batchOf, scriptFor } from './script.ts';
import type { Line, Protocol } from './script.ts';

/** One closed-loop client: writes `depth` requests as one buffer, and the next ones when all are answered. */
export interface ClosedLoopClient {
  readonly inFlight: number;
  /** Writes one batch. */
  send(nowMs: number): void;
  /** Drops the connection; nothing is reported any more. */
  close(): void;
}

export interface ClosedLoopOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly number: number;
  readonly depth: number;
  /** Receive memory that all clients of the process may share: it is read before the next read. */
  readonly readBuffer: Buffer;
  readonly onOpen: () => void;
  /** `replies` came in at `nowMs`, `waitedMs` after their batch was written; return true to go on. */
  readonly onReplies: (replies: number, waitedMs: number, nowMs: number) => boolean;
  readonly onFault: (reason: string) => void;
}

export interface LoadClientOptions extends ClosedLoopOptions {
  readonly protocol: Protocol;
}

/** A client whose messages are small and of one length. */
export class LoadClient implements ClosedLoopClient {
  readonly #options: LoadClientOptions;
  readonly #connection: RawConnection;
  readonly #line: Line;
  readonly #batch: Buffer;
  readonly #checker: ReplyChecker;
  #sentAtMs = 0;
  #inFlight = 0;

  constructor(options: LoadClientOptions) {
    const script = scriptFor(options.protocol, options.number);
    this.#options = options;
    this.#line = script.request;
    this.#batch = batchOf(script.request, options.depth);
    this.#checker = new ReplyChecker({
      reply: script.reply,
      depth: options.depth,
      onPing: (payload) => this.#connection.writePong(payload),
    });
    this.#connection = new RawConnection({
      ...options,
      onBytes: (chunk, length) => this.#onReplies(length, chunk),
      onFault: (reason) => options.onFault(`client ${options.number}: ${reason}`),
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  send(nowMs: number): void {
    this.#sentAtMs = nowMs;
    this.#inFlight = this.#options.depth;
    this.#connection.write(this.#batch);
  }

  close(): void {
    this.#connection.close();
  }

  #onReplies(length: number, chunk: Buffer): void {
    const replies = this.#checker.take(chunk, length);
    if (replies === 0) return;
    if (replies > this.#inFlight) throw new Error('a reply came before its request');
    const nowMs = performance.now();
    this.#inFlight -= replies;
    const goOn = this.#options.onReplies(replies, nowMs - this.#sentAtMs, nowMs);
    if (this.#inFlight > 0) return;
    this.#checker.next();
    if (!goOn) return;
    const { depth } = this.#options;
    const size = this.#line.frame.length;
    for (let i = 0; i < depth; i++) addToCounter(this.#batch, i * size + this.#line.counterAt, depth);
    this.send(nowMs);
  }
}
