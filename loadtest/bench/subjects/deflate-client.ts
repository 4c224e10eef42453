import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { constants, deflateRawSync } from 'node:zlib';

const headEnd = '\r\n\r\n';

/** A client that offers permessage-deflate, and compresses what it sends once that is agreed; one message at a time. */
export class DeflateClient {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #compresses = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', () => undefined);
  }

  /** Throws when the server does not upgrade. */
  static async open(port: number, path: string): Promise<DeflateClient> {
    const client = new DeflateClient(connect({ host: '127.0.0.1', port, noDelay: true }));
    client.#socket.write(
      [
        `GET ${path} HTTP/1.1`,
        `Host: 127.0.0.1:${port}`,
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        `Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits${headEnd}`,
      ].join('\r\n'),
    );
    await client.#until(() => client.#received.includes(headEnd));
    const end = client.#received.indexOf(headEnd);
    const head = client.#received.toString('latin1', 0, end);
    if (!head.startsWith('HTTP/1.1 101')) throw new Error(`the handshake was refused: ${head}`);
    client.#compresses = head.includes('permessage-deflate');
    client.#received = client.#received.subarray(end + headEnd.length);
    return client;
  }

  /** Sends a text message and waits for its echo; returns how many bytes the echo takes on the wire, without its frame head. */
  async echo(message: Uint8Array): Promise<number> {
    const payload = this.#compresses ? deflated(message) : message;
    this.#socket.write(frameHead(payload.length, this.#compresses));
    this.#socket.write(payload);
    await this.#until(() => frameBytes(this.#received) !== undefined);
    const frame = frameBytes(this.#received)!;
    this.#received = this.#received.subarray(frame.head + frame.payload);
    return frame.payload;
  }

  close(): void {
    this.#socket.destroy();
  }

  async #until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}

/** RFC 7692 section 7.2.1, in a window that any server takes. */
function deflated(message: Uint8Array): Buffer {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 9 }).subarray(0, -4);
}

/** A masked text frame's head; the mask is zero, so that the message goes as it is. */
function frameHead(length: number, compressed: boolean): Buffer {
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = compressed ? 0xc1 : 0x81;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (head.length === 8) head.writeUInt16BE(length, 2);
  if (head.length === 14) head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

/** The sizes of the first frame, once it is there as a whole. */
function frameBytes(bytes: Buffer): { readonly head: number; readonly payload: number } | undefined {
  if (bytes.length < 2) return undefined;
  const short = bytes[1]! & 0x7f;
  const head = short < 126 ? 2 : short === 126 ? 4 : 10;
  if (bytes.length < head) return undefined;
  const payload =
    short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  return bytes.length < head + payload ? undefined : { head, payload };
}
