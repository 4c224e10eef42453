import type { Socket } from 'node:net';
import type { Dialer, DialHandlers, DialRequest } from '../dial.ts';
import { DialError } from '../dial.ts';
import type { Endpoint } from '../endpoint.ts';
import { Turn } from '../turn.ts';
import { Upstream, type Heartbeat, type UpstreamConnection } from '../upstream.ts';
import { BufferPool } from '../wire/buffer-pool.ts';
import { frame } from '../wire/frames.fixture.ts';
import { Opcode } from '../wire/opcode.ts';

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The frames that a client wrote, unmasked; only whole ones are given. */
export function clientFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const short = bytes[at + 1]! & 0x7f;
    const header = short === 127 ? 14 : short === 126 ? 8 : 6;
    const size =
      short === 127 ? bytes.readUIntBE(at + 4, 6) : short === 126 ? bytes.readUInt16BE(at + 2) : short;
    const key = bytes.subarray(at + header - 4, at + header);
    const payload = Buffer.from(bytes.subarray(at + header, at + header + size));
    for (let i = 0; i < size; i++) payload[i]! ^= key[i & 3]!;
    frames.push({ opcode: bytes[at]! & 0x0f, payload });
    at += header + size;
  }
  return frames;
}

/** Stands for a socket: tells what is written, and that it was written in a later turn, or only when it is resumed. */
export class FakeSocket {
  /** Nothing is read from it. */
  paused = false;
  destroyed = false;
  ended = false;
  onBytes: (bytes: Buffer) => void = () => undefined;
  onClosed: () => void = () => undefined;
  #stalled = false;
  #closed = false;
  #heldBytes = 0;
  readonly #held: (() => void)[] = [];

  /** Bytes that the kernel has not taken. */
  get writableLength(): number {
    return this.#heldBytes;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  get closed(): boolean {
    return this.#closed;
  }

  write(bytes: Uint8Array, onWritten: () => void): boolean {
    if (this.destroyed) throw new Error('bug: written to a destroyed socket');
    this.onBytes(Buffer.from(bytes));
    if (this.#stalled) {
      this.#heldBytes += bytes.length;
      this.#held.push(onWritten);
    } else {
      setImmediate(onWritten);
    }
    return true;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  stall(): void {
    this.#stalled = true;
  }

  unstall(): void {
    this.#stalled = false;
    this.#heldBytes = 0;
    for (const onWritten of this.#held.splice(0)) onWritten();
  }

  end(): void {
    if (this.ended || this.destroyed) return;
    this.ended = true;
    setImmediate(() => this.close());
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    setImmediate(() => this.close());
  }

  /** The connection breaks: Node first completes the write under way, and tells of the close later. */
  breakDown(): void {
    this.destroyed = true;
    this.unstall();
  }

  /** What happens when the peer or the network ends it. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.breakDown();
    this.onClosed();
  }
}

export const noHeartbeat: Heartbeat = {
  add: () => undefined,
  remove: () => undefined,
  pong: () => undefined,
};

function rethrow(error: unknown): void {
  throw error;
}

/** A real upstream on a fake socket, and the back end at its other side. */
export class FakeConnection {
  readonly socket = new FakeSocket();
  readonly upstream: Upstream;
  readonly endpoint: Endpoint;
  /** Everything the back end got. */
  readonly frames: Frame[] = [];
  onFrame: (frame: Frame) => void = () => undefined;

  constructor(
    endpoint: Endpoint,
    { maxBufferedBytes = 65_536, protocol = '', heartbeat = noHeartbeat } = {},
  ) {
    this.endpoint = endpoint;
    this.upstream = new Upstream({
      socket: this.socket as unknown as Socket,
      label: endpoint.label,
      protocol,
      trusted: endpoint.trusted,
      maxMessageBytes: 65_536,
      maxFragments: 16,
      maxBufferedBytes,
      turn: new Turn({ onError: rethrow }),
      buffers: new BufferPool(),
      heartbeat,
    });
    this.socket.onClosed = () => this.upstream.onSocketClosed();
    this.socket.onBytes = (bytes) => {
      for (const part of clientFrames(bytes)) {
        this.frames.push(part);
        this.onFrame(part);
      }
    };
  }

  /** The text messages that the back end got. */
  get texts(): string[] {
    return this.frames
      .filter(({ opcode }) => opcode === Opcode.Text)
      .map(({ payload }) => payload.toString());
  }

  /** Code and reason of the close frame that the back end got. */
  get closing(): readonly [code: number, reason: string] | undefined {
    const payload = this.frames.find(({ opcode }) => opcode === Opcode.Close)?.payload;
    if (payload === undefined) return undefined;
    return payload.length < 2 ? [1005, ''] : [payload.readUInt16BE(0), payload.subarray(2).toString()];
  }

  /** The back end sends one message. */
  say(text: string, opcode: number = Opcode.Text): void {
    this.feed(frame({ opcode, payload: text }));
  }

  feed(bytes: Buffer): void {
    this.upstream.push(bytes, 0, bytes.length);
  }
}

export interface FakeDial {
  readonly endpoint: Endpoint;
  readonly request: DialRequest;
  open(): FakeConnection;
  fail(status?: number, unsendable?: boolean): void;
}

export interface FakeDialerOptions {
  readonly maxBufferedBytes?: number;
  readonly protocol?: string;
  /** Stands between a connection and the pool. */
  readonly wrap?: (upstream: Upstream) => UpstreamConnection;
}

/** Dials nothing: a test decides when and how each dial ends. */
export class FakeDialer implements Pick<Dialer, 'dial'> {
  readonly pending: FakeDial[] = [];
  readonly opened: FakeConnection[] = [];
  cancelled = 0;
  /** Called with each connection before the pool gets it. */
  onConnection: (connection: FakeConnection, upstream: UpstreamConnection) => void = () => undefined;
  readonly #options: FakeDialerOptions;

  constructor(options: FakeDialerOptions = {}) {
    this.#options = options;
  }

  dial(endpoint: Endpoint, request: DialRequest, handlers: DialHandlers): () => void {
    const settle = (): void => {
      this.pending.splice(this.pending.indexOf(dial), 1);
    };
    const dial: FakeDial = {
      endpoint,
      request,
      open: () => {
        settle();
        const connection = new FakeConnection(endpoint, this.#options);
        const upstream = this.#options.wrap?.(connection.upstream) ?? connection.upstream;
        this.opened.push(connection);
        this.onConnection(connection, upstream);
        handlers.onOpen(upstream);
        return connection;
      },
      fail: (status, unsendable) => {
        settle();
        handlers.onFailure(new DialError('refused', status, unsendable));
      },
    };
    this.pending.push(dial);
    return () => {
      this.cancelled++;
      settle();
    };
  }
}
