import type { Transcoder, TranscoderFault, TranscoderOwner } from '../transcoder.ts';

/** What a `WebSocket` of the package `ws` is used for; its `binaryType` must be the default. */
export interface WsSocket {
  send(data: Uint8Array, options: { binary: boolean }): void;
  close(code?: number, reason?: string): void;
  on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): unknown;
  on(event: 'close', listener: (code: number, reason: Buffer) => void): unknown;
}

const closeCodes: Readonly<Record<TranscoderFault, number>> = {
  undecodable: 1007,
  'decoded-too-big': 1009,
  'codec-behind': 1013,
};

/** One connection with plain messages, whatever is spoken on it. */
export class CodecSocket<Socket extends WsSocket = WsSocket> implements TranscoderOwner {
  /** The connection itself, for whatever has nothing to do with messages: pings, `bufferedAmount`, `terminate()`. */
  readonly socket: Socket;
  /** What is spoken on it; undefined for plain messages. */
  readonly codec: string | undefined;
  /** Told of each message in its order. */
  onMessage: (data: Buffer, isBinary: boolean) => void = () => undefined;
  /** Told once, after the last message. */
  onClose: (code: number, reason: string) => void = () => undefined;
  readonly #transcoder: Transcoder | undefined;
  #failed = false;
  /** Nothing is sent after its goodbye. */
  #closing = false;

  constructor(
    socket: Socket,
    codec: string | undefined,
    open: (owner: TranscoderOwner) => Transcoder | undefined,
  ) {
    this.socket = socket;
    this.codec = codec;
    this.#transcoder = open(this);
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.on('close', (code, reason) => {
      this.#transcoder?.stopEncoding();
      this.#after('afterDecoding', () => this.onClose(code, reason.toString()));
    });
  }

  /** Sends one message, unless the connection was closed: text for a string, binary for bytes, which may be reused at once. */
  send(data: string | Uint8Array): void {
    if (this.#closing) return;
    const isBinary = typeof data !== 'string';
    const bytes = isBinary ? data : Buffer.from(data);
    if (this.#transcoder === undefined) this.onEncoded(bytes, isBinary);
    else this.#transcoder.encode(bytes, isBinary);
  }

  /** Says goodbye after what was sent before. */
  close(code?: number, reason?: string): void {
    this.#closing = true;
    this.#after('afterEncoding', () => this.socket.close(code, reason));
  }

  onEncoded(bytes: Uint8Array, isBinary: boolean): void {
    // The socket writes it later, and may find it overwritten.
    this.socket.send(Buffer.from(bytes), { binary: isBinary });
  }

  onDecoded(bytes: Uint8Array, isBinary: boolean): void {
    this.onMessage(Buffer.from(bytes), isBinary);
  }

  onCodecFault(fault: TranscoderFault): void {
    this.#failed = true;
    this.socket.close(closeCodes[fault], fault);
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#failed) return;
    if (this.#transcoder === undefined) this.onMessage(data, isBinary);
    else this.#transcoder.decode(data, isBinary);
  }

  #after(which: 'afterEncoding' | 'afterDecoding', callback: () => void): void {
    if (this.#transcoder === undefined) callback();
    else this.#transcoder[which](callback);
  }
}
