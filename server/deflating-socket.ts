import type { ClientSocket } from './connection.ts';

/** The engine's socket, which compresses what it is told to. */
export interface DeflatableSocket extends Omit<ClientSocket, 'send'> {
  send(message: Uint8Array, isBinary: boolean, compress: boolean): number;
}

/** A longer message would hold up everybody else for too long: the engine compresses in the event loop. */
const maxDeflatedBytes = 1 << 20;

/** The socket of a client that negotiated permessage-deflate: it compresses the messages for which that pays. */
export class DeflatingSocket implements ClientSocket {
  readonly #socket: DeflatableSocket;
  readonly #minBytes: number;

  constructor(socket: DeflatableSocket, minBytes: number) {
    this.#socket = socket;
    this.#minBytes = minBytes;
  }

  send(message: Uint8Array, isBinary: boolean): number {
    const { length } = message;
    return this.#socket.send(message, isBinary, length >= this.#minBytes && length <= maxDeflatedBytes);
  }

  ping(): number {
    return this.#socket.ping();
  }

  getBufferedAmount(): number {
    return this.#socket.getBufferedAmount();
  }

  cork(callback: () => void): unknown {
    return this.#socket.cork(callback);
  }

  end(code?: number, reason?: string): void {
    this.#socket.end(code, reason);
  }

  close(): void {
    this.#socket.close();
  }
}
