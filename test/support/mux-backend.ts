import type { WebSocket } from 'ws';
import { startBackend, type Backend } from './backend.ts';

/** What OPEN says of a client. */
export interface Opening {
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly address: string;
  readonly protocols: readonly string[];
  readonly window: number;
  readonly resumed?: boolean;
}

/** One frame off the wire, as docs/mux-protocol.md draws it. */
export interface MuxFrame {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** How a stream ended, as the backend was told. */
export interface StreamClosing {
  readonly stream: number;
  readonly code: number;
  readonly reason: string;
}

/** A backend that speaks wsluice.mux.v1, written from its specification alone. */
export interface MuxBackend extends Backend {
  readonly carriers: ReadonlySet<MuxCarrier>;
  readonly openings: readonly Opening[];
  readonly closings: readonly StreamClosing[];
  /** Every fault of the gateway that was seen. */
  readonly faults: readonly string[];
}

export interface MuxBackendOptions {
  /** Credit given to each client at first, and again as it is used. */
  readonly window?: number;
  /** Answers OPEN with something else than ACCEPT; true when it did. */
  readonly onOpen?: (carrier: MuxCarrier, stream: number, opening: Opening) => boolean;
  /** What is done with a message, in place of the echo and its commands. */
  readonly onMessage?: (stream: MuxBackendStream, data: Buffer, isBinary: boolean) => void;
}

const OVERHEAD = 16;
const PART = 65_536;

/** Unsigned LEB128. */
export function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

/** The bytes of one frame. */
export function muxFrame(type: number, stream: number, payload: Buffer | string = ''): Buffer {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from([type]), varint(stream), varint(body.length), body]);
}

/** Payload of CLOSE and REFUSE. */
export function codePayload(code: number, reason = ''): Buffer {
  return Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]);
}

function readVarint(bytes: Buffer, at: number, mostBytes: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < mostBytes; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new Error('a number is cut off');
    value += (byte % 128) * 128 ** i;
    if (byte > 127) continue;
    if (byte === 0 && i > 0) throw new Error('a number is longer than it needs');
    return [value, at + i + 1];
  }
  throw new Error('a number is too long');
}

/** All frames of a message; throws where they are not whole. */
export function readFrames(message: Buffer): MuxFrame[] {
  const frames: MuxFrame[] = [];
  for (let at = 0; at < message.length;) {
    const type = message[at]!;
    const [stream, afterStream] = readVarint(message, at + 1, 5);
    const [length, payload] = readVarint(message, afterStream, 4);
    at = payload + length;
    if (at > message.length) throw new Error('a frame is cut off');
    frames.push({ type, stream, payload: message.subarray(payload, at) });
  }
  return frames;
}

/** One client, as the backend sees it. */
export class MuxBackendStream {
  readonly id: number;
  readonly opening: Opening;
  readonly #carrier: MuxCarrier;
  /** What this side may send. */
  credit: number;
  /** What the client may send. */
  granted: number;
  readonly #queue: [data: Buffer, isBinary: boolean][] = [];
  #sentOfFirst = 0;
  readonly #parts: Buffer[] = [];
  #partsKind = -1;
  closed = false;

  constructor(carrier: MuxCarrier, id: number, opening: Opening, granted: number) {
    this.#carrier = carrier;
    this.id = id;
    this.opening = opening;
    this.credit = opening.window;
    this.granted = granted;
  }

  /** Bytes that wait for credit. */
  get waiting(): number {
    return this.#queue.reduce((sum, [data]) => sum + data.length, 0);
  }

  send(data: Buffer | string, isBinary = false): void {
    this.#queue.push([Buffer.from(data), isBinary]);
    this.flush();
  }

  /** Sends what the credit allows. */
  flush(): void {
    for (let [first] = this.#queue; first !== undefined && !this.closed; [first] = this.#queue) {
      const [data, isBinary] = first;
      const left = data.length - this.#sentOfFirst;
      const size = Math.min(left, PART, this.credit - OVERHEAD);
      if (size < 0 || (size === 0 && left > 0)) return;
      const isLast = size === left;
      this.credit -= size + OVERHEAD;
      const part = data.subarray(this.#sentOfFirst, this.#sentOfFirst + size);
      this.#carrier.write(muxFrame((isLast ? 0x10 : 0x12) + (isBinary ? 1 : 0), this.id, part));
      this.#sentOfFirst = isLast ? 0 : this.#sentOfFirst + size;
      if (isLast) this.#queue.shift();
    }
  }

  close(code?: number, reason = ''): void {
    this.closed = true;
    this.#carrier.write(muxFrame(0x04, this.id, code === undefined ? '' : codePayload(code, reason)));
  }

  /** Takes a part in; gives the message when it is complete. */
  take(type: number, payload: Buffer): { data: Buffer; isBinary: boolean } | undefined {
    const isBinary = type % 2;
    if (payload.length > PART) throw new Error('a part is too long');
    if (this.#partsKind >= 0 && this.#partsKind !== isBinary) throw new Error('parts of two kinds');
    this.granted -= payload.length + OVERHEAD;
    if (this.granted < 0) throw new Error('sent without credit');
    this.#parts.push(Buffer.from(payload));
    this.#partsKind = isBinary;
    if (type >= 0x12) return undefined;
    const data = Buffer.concat(this.#parts.splice(0));
    this.#partsKind = -1;
    return { data, isBinary: isBinary === 1 };
  }
}

/** One carrying connection, as the backend sees it. */
export class MuxCarrier {
  readonly socket: WebSocket;
  readonly streams = new Map<number, MuxBackendStream>();
  /** Messages that came, for those who count them. */
  messages = 0;
  readonly #backend: {
    readonly options: MuxBackendOptions;
    readonly openings: Opening[];
    readonly closings: StreamClosing[];
  };
  #lastId = 0;
  #packed: Buffer[] = [];

  constructor(socket: WebSocket, backend: MuxCarrier['backend']) {
    this.socket = socket;
    this.#backend = backend;
  }

  get backend(): {
    readonly options: MuxBackendOptions;
    readonly openings: Opening[];
    readonly closings: StreamClosing[];
  } {
    return this.#backend;
  }

  /** Adds a frame to the message of this turn. */
  write(frame: Buffer): void {
    this.#packed.push(frame);
    if (this.#packed.length === 1) setImmediate(() => this.sendPacked());
  }

  sendPacked(): void {
    const frames = this.#packed.splice(0);
    for (let from = 0; from < frames.length;) {
      let size = 0;
      let to = from;
      while (to < frames.length && (to === from || size + frames[to]!.length <= 1_048_576)) {
        size += frames[to++]!.length;
      }
      this.socket.send(Buffer.concat(frames.slice(from, to)), { binary: true });
      from = to;
    }
  }

  onMessage(message: Buffer, isBinary: boolean): void {
    this.messages++;
    if (!isBinary) throw new Error('a text message');
    if (message.length > 1_048_576) throw new Error('a message is too long');
    for (const frame of readFrames(message)) this.#onFrame(frame);
  }

  #onFrame({ type, stream, payload }: MuxFrame): void {
    if (type >= 0x80) return;
    if (type === 0x01) return this.#onOpen(stream, payload);
    if (type === 0x06) return this.write(muxFrame(0x07, stream, Buffer.from(payload)));
    if (type === 0x07) return;
    const client = this.streams.get(stream);
    if (stream > this.#lastId || stream === 0) throw new Error(`frame ${type} on stream ${stream}`);
    if (client === undefined) return;
    if (type === 0x05) {
      client.credit += readVarint(payload, 0, 5)[0];
      client.flush();
    } else if (type === 0x04) this.#onClose(client, payload);
    else if (type >= 0x10 && type <= 0x13) this.#onData(client, type, payload);
    else throw new Error(`frame of type ${type}`);
  }

  #onOpen(stream: number, payload: Buffer): void {
    if (stream <= this.#lastId) throw new Error('a stream id was used again');
    this.#lastId = stream;
    const opening = JSON.parse(payload.toString()) as Opening;
    const { options, openings } = this.#backend;
    openings.push(opening);
    if (options.onOpen?.(this, stream, opening) === true) return;
    this.accept(stream, opening, opening.protocols.at(-1));
  }

  accept(stream: number, opening: Opening, protocol = ''): MuxBackendStream {
    const window = this.#backend.options.window ?? 262_144;
    this.write(muxFrame(0x02, stream, Buffer.concat([varint(window), Buffer.from(protocol)])));
    const client = new MuxBackendStream(this, stream, opening, window);
    this.streams.set(stream, client);
    return client;
  }

  #onClose(client: MuxBackendStream, payload: Buffer): void {
    const code = payload.length === 0 ? 1005 : payload.readUInt16BE(0);
    this.#backend.closings.push({ stream: client.id, code, reason: payload.subarray(2).toString() });
    if (!client.closed) this.write(muxFrame(0x04, client.id, Buffer.from(payload)));
    client.closed = true;
    this.streams.delete(client.id);
  }

  #onData(client: MuxBackendStream, type: number, payload: Buffer): void {
    const message = client.take(type, payload);
    const { options } = this.#backend;
    const window = options.window ?? 262_144;
    if (client.granted * 2 <= window) {
      this.write(muxFrame(0x05, client.id, varint(window - client.granted)));
      client.granted = window;
    }
    if (message === undefined || client.closed) return;
    if (options.onMessage !== undefined) options.onMessage(client, message.data, message.isBinary);
    else answer(client, message.data, message.isBinary);
  }
}

/** Echoes, but obeys `!close [code reason]`, `!flood <bytes> <count>`, `!opening`, `!ping` and `!stream`. */
function answer(client: MuxBackendStream, data: Buffer, isBinary: boolean): void {
  const [command, ...args] = isBinary ? [''] : data.toString().split(' ');
  if (command === '!close')
    client.close(args.length === 0 ? undefined : Number(args[0]), args.slice(1).join(' '));
  else if (command === '!opening') client.send(JSON.stringify(client.opening));
  else if (command === '!flood') {
    for (let n = 0; n < Number(args[1]); n++) client.send(Buffer.alloc(Number(args[0]), 'f'), true);
  } else client.send(data, isBinary);
}

/** Starts a backend that speaks mux; it is stopped when the test file ends. */
export async function startMuxBackend(options: MuxBackendOptions = {}): Promise<MuxBackend> {
  const carriers = new Set<MuxCarrier>();
  const faults: string[] = [];
  const seen = { options, openings: [] as Opening[], closings: [] as StreamClosing[] };
  const backend = await startBackend({
    handleProtocols: (offered) => (offered.has('wsluice.mux.v1') ? 'wsluice.mux.v1' : false),
    onConnection: (socket) => {
      const carrier = new MuxCarrier(socket, seen);
      carriers.add(carrier);
      socket.on('close', () => carriers.delete(carrier));
      socket.on('message', (data, isBinary) => {
        try {
          carrier.onMessage(data as Buffer, isBinary);
        } catch (fault) {
          faults.push(String(fault));
          socket.close(1002);
        }
      });
    },
  });
  return { ...backend, carriers, faults, openings: seen.openings, closings: seen.closings };
}
