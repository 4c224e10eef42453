import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTearDown } from './tear-down.ts';

/** The head of an HTTP answer, and its body as far as it came. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** One RFC 6455 frame off the wire. */
export interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly payload: Buffer;
}

/** How to write a frame; the defaults are a correct client's. */
export interface FrameOptions {
  readonly opcode?: number;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly masked?: boolean;
  /** Declares this length in place of the payload's. */
  readonly declaredLength?: number;
}

/** Opcodes of RFC 6455, section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** The bytes of one client frame. */
export function clientFrame(payload: string | Buffer, options: FrameOptions = {}): Buffer {
  const body = Buffer.from(payload);
  const length = options.declaredLength ?? body.length;
  const masked = options.masked ?? true;
  const first =
    ((options.fin ?? true) ? 0x80 : 0) | ((options.rsv ?? 0) << 4) | (options.opcode ?? OPCODE.text);
  const mask = Buffer.from([0x12, 0x34, 0x56, 0x78]);
  const head = Buffer.concat([
    Buffer.from([first]),
    lengthBytes(length, masked),
    masked ? mask : Buffer.alloc(0),
  ]);
  if (masked) for (let i = 0; i < body.length; i++) body[i]! ^= mask[i & 3]!;
  return Buffer.concat([head, body]);
}

function lengthBytes(length: number, masked: boolean): Buffer {
  const maskBit = masked ? 0x80 : 0;
  if (length < 126) return Buffer.from([maskBit | length]);
  if (length < 65_536) return Buffer.from([maskBit | 126, length >> 8, length & 0xff]);
  const bytes = Buffer.alloc(9);
  bytes[0] = maskBit | 127;
  bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

/** Headers of a correct upgrade request; `null` leaves one out. */
export type HeaderChanges = Readonly<Record<string, string | null>>;

/** What a request to upgrade says; `headers` change or add to a correct one's. */
export interface UpgradeRequest {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: HeaderChanges;
  /** Connects from this loopback address. */
  readonly from?: string;
}

/** The bytes of a request to upgrade. */
export function upgradeRequest(port: number, request: UpgradeRequest = {}): string {
  const headers: Record<string, string | null> = {
    Host: `127.0.0.1:${port}`,
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...request.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === null ? [] : [`${name}: ${value}`],
  );
  return `${request.method ?? 'GET'} ${request.path ?? '/ws'} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A TCP connection that knows HTTP and WebSocket framing but none of their rules. */
export class RawClient {
  readonly socket: Socket;
  /** How the peer ended: the code of its close frame, 1005 for one without, 1006 when TCP ended with no close frame. */
  readonly closed: Promise<number>;
  #buffer = Buffer.alloc(0);
  #isUpgraded = false;
  #closeCode = 1006;
  #ended = false;
  readonly #frames: Frame[] = [];
  readonly #wakers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk]);
      if (this.#isUpgraded) this.#takeFrames();
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#wake();
        resolve(this.#closeCode);
      });
    });
    onTearDown(() => void socket.destroy());
  }

  /** Connects to a loopback port. */
  static connect(port: number, from?: string): Promise<RawClient> {
    const socket = connect({
      port,
      host: '127.0.0.1',
      ...(from === undefined ? {} : { localAddress: from }),
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawClient(socket)));
    });
  }

  /** Connects and sends a request to upgrade; the answer is taken too. */
  static async upgrade(
    port: number,
    request: UpgradeRequest = {},
  ): Promise<{ client: RawClient; answer: HttpAnswer }> {
    const client = await RawClient.connect(port, request.from);
    client.send(upgradeRequest(port, request));
    return { client, answer: await client.answer() };
  }

  send(bytes: string | Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** The HTTP answer; after a 101 what follows is read as frames. Throws when the peer ends first. */
  async answer(withinMs = 5_000): Promise<HttpAnswer> {
    await this.#until(() => this.#buffer.includes('\r\n\r\n') || this.#ended, withinMs, 'HTTP answer');
    const headEnd = this.#buffer.indexOf('\r\n\r\n');
    if (headEnd < 0) throw new Error('the connection ended without an HTTP answer');
    const [statusLine = '', ...lines] = this.#buffer.toString('latin1', 0, headEnd).split('\r\n');
    const headers = Object.fromEntries(lines.map(splitHeader));
    const status = Number(statusLine.split(' ')[1]);
    this.#buffer = this.#buffer.subarray(headEnd + 4);
    if (status === 101) {
      this.#isUpgraded = true;
      this.#takeFrames();
      return { status, headers, body: '' };
    }
    const length = Number(headers['content-length'] ?? 0);
    await this.#until(() => this.#buffer.length >= length || this.#ended, withinMs, 'HTTP body');
    return { status, headers, body: this.#buffer.toString('utf8', 0, length || this.#buffer.length) };
  }

  /** The next frame; throws when none comes within `withinMs` or the peer ends first. */
  async nextFrame(withinMs = 5_000): Promise<Frame> {
    await this.#until(() => this.#frames.length > 0 || this.#ended, withinMs, 'frame');
    const frame = this.#frames.shift();
    if (frame === undefined) throw new Error('the connection ended before a frame came');
    return frame;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #takeFrames(): void {
    for (let frame = this.#takeFrame(); frame !== undefined; frame = this.#takeFrame()) {
      if (frame.opcode === OPCODE.close) {
        this.#closeCode = frame.payload.length >= 2 ? frame.payload.readUInt16BE(0) : 1005;
      }
      this.#frames.push(frame);
    }
  }

  #takeFrame(): Frame | undefined {
    const buffer = this.#buffer;
    if (buffer.length < 2) return undefined;
    const short = buffer[1]! & 0x7f;
    const headLength = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
    if (buffer.length < headLength) return undefined;
    const length =
      short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short;
    if (buffer.length < headLength + length) return undefined;
    this.#buffer = buffer.subarray(headLength + length);
    const payload = Buffer.from(buffer.subarray(headLength, headLength + length));
    return { fin: (buffer[0]! & 0x80) !== 0, opcode: buffer[0]! & 0x0f, payload };
  }

  #wake(): void {
    for (const waker of this.#wakers) waker();
  }

  async #until(isTrue: () => boolean, withinMs: number, what: string): Promise<void> {
    if (isTrue()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#wakers.delete(check);
      };
      const check = (): void => {
        if (!isTrue()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`no ${what} within ${withinMs} ms`));
      }, withinMs);
      this.#wakers.add(check);
    });
  }
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

/** Sends a request to upgrade and gives the answer; the connection is dropped. */
export async function askUpgrade(port: number, request: UpgradeRequest = {}): Promise<HttpAnswer> {
  const { client, answer } = await RawClient.upgrade(port, request);
  client.destroy();
  return answer;
}
