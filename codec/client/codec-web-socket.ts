import { CodecError } from '../codec.ts';
import { DictionaryShelf } from './dictionary-shelf.ts';
import { InOrder } from './in-order.ts';
import { chooseCodec, loadPacker } from './load-packer.ts';
import { MessageFormat } from './message-format.ts';
import type { CodecName } from './packer.ts';
import { closeEvent, SocketEvents, type CloseDetail } from './socket-events.ts';

const connecting = 0;
const open = 1;
const closing = 2;
const closed = 3;

const defaultMinBytes = 1024;
const defaultMaxDecodedBytes = 1 << 24;
/** What may wait to be decompressed, in largest messages. */
const maxWaitingMessages = 4;
const maxReasonBytes = 123;

/** What this client closes a connection with; scripts in browsers may send no others than 1000 and 3000 to 4999. */
export const closeCodes = { undecodable: 4007, 'too-big': 4009, 'not-loaded': 4011 } as const;

/** What is needed of a WebSocket: that of the platform, or that of `ws`. */
export interface PlainWebSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly extensions: string;
  readonly protocol: string;
  readonly readyState: number;
  readonly url: string;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  addEventListener(
    type: 'open' | 'message' | 'error' | 'close',
    // oxlint-disable-next-line typescript/no-explicit-any -- each has event classes of its own
    listener: (event: any) => void,
  ): void;
}

export interface CodecWebSocketOptions {
  /** The codec to ask the server for, or several: then the first that this platform can run. Without, messages are plain. */
  readonly codec?: CodecName | readonly CodecName[] | undefined;
  /** Messages below this many bytes are not compressed (1024). */
  readonly minBytes?: number | undefined;
  /** A message that decompresses to more than this many bytes ends the connection (16 MiB). */
  readonly maxDecodedBytes?: number | undefined;
  /** The level of zstd (3) or the quality of brotli (4). */
  readonly level?: number | undefined;
  /** zstd dictionaries that need not be fetched; the server is asked for the first. */
  readonly dictionaries?: readonly Uint8Array[] | undefined;
  /** The class to connect with (the platform's `WebSocket`). */
  readonly WebSocket?: (new (url: string, protocols?: string | string[]) => PlainWebSocket) | undefined;
}

/** A WebSocket whose messages go compressed to a server that speaks wsluice's codecs; it is used like any other. */
export class CodecWebSocket extends SocketEvents {
  static readonly CONNECTING = connecting;
  static readonly OPEN = open;
  static readonly CLOSING = closing;
  static readonly CLOSED = closed;
  readonly CONNECTING = connecting;
  readonly OPEN = open;
  readonly CLOSING = closing;
  readonly CLOSED = closed;

  /** What binary messages come as. */
  binaryType: 'blob' | 'arraybuffer' = 'blob';
  /** The codec that the server was asked for; undefined for none. */
  readonly codec: CodecName | undefined;

  readonly #origin: string;
  readonly #socket: PlainWebSocket;
  readonly #format: MessageFormat | undefined;
  readonly #maxWaitingBytes: number;
  readonly #sending = new InOrder((error) => this.#fail(error));
  readonly #receiving = new InOrder((error) => this.#fail(error));
  #state: typeof open | typeof closing | typeof closed = open;
  #fault: CloseDetail | undefined;
  #discardedBytes = 0;

  /** Throws what the platform's WebSocket throws, and TypeError for an unknown codec. */
  constructor(url: string | URL, protocols: string | string[] = [], options: CodecWebSocketOptions = {}) {
    super();
    const { maxDecodedBytes = defaultMaxDecodedBytes, minBytes = defaultMinBytes, level } = options;
    const address = parseAddress(url);
    const dictionaries = new DictionaryShelf(address, options.dictionaries ?? []);
    this.codec = chooseCodec(options.codec ?? []);
    if (this.codec !== undefined) setParameter(address, 'codec', this.codec);
    if (this.codec === 'zstd' && dictionaries.firstId !== undefined)
      setParameter(address, 'dictionary', String(dictionaries.firstId));
    this.#origin = address.origin;
    this.#maxWaitingBytes = maxWaitingMessages * maxDecodedBytes;
    this.#socket = new (options.WebSocket ?? WebSocket)(address.href, protocols);
    this.#socket.binaryType = 'arraybuffer';
    this.#listen();
    if (this.codec === undefined) return;
    const packer = loadPacker(this.codec, { level, dictionaries });
    packer.catch((error: unknown) => this.#fail(error));
    this.#format = new MessageFormat({ packer, minBytes, maxDecodedBytes });
  }

  get url(): string {
    return this.#socket.url;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  get readyState(): number {
    if (this.#state === closed) return closed;
    const state = this.#state === closing ? closing : this.#socket.readyState;
    // It is not closed before all that came is delivered.
    return Math.min(state, closing);
  }

  /** What is not yet with the network; messages that wait to be compressed count with their full size. */
  get bufferedAmount(): number {
    return this.#socket.bufferedAmount + this.#sending.pendingBytes + this.#discardedBytes;
  }

  /** Sends a message; does nothing once the connection closes. Throws InvalidStateError before it is open. */
  send(data: string | ArrayBufferLike | ArrayBufferView | Blob): void {
    if (this.readyState === connecting) throw new DOMException('Still connecting', 'InvalidStateError');
    const message = asMessage(data);
    if (this.readyState !== open) this.#discardedBytes += sizeOf(message);
    else this.#sending.add(sizeOf(message), () => this.#send(message));
  }

  /** Closes the connection once all that was sent is on its way. Throws for a code or reason that scripts may not use. */
  close(code?: number, reason?: string): void {
    checkClosing(code, reason);
    if (this.#state !== open) return;
    this.#state = closing;
    if (this.#socket.readyState === connecting) this.#socket.close(code, reason);
    else this.#sending.add(0, () => this.#socket.close(code, reason));
  }

  #listen(): void {
    const socket = this.#socket;
    socket.addEventListener('open', () => this.dispatchEvent(new Event('open')));
    socket.addEventListener('message', ({ data }: { data: string | ArrayBuffer }) => {
      const wire = typeof data === 'string' ? data : new Uint8Array(data);
      this.#receiving.add(sizeOf(wire), () => this.#receive(wire));
      if (this.#receiving.pendingBytes > this.#maxWaitingBytes)
        this.#fail(new CodecError('too-big', 'too much at once'));
    });
    socket.addEventListener('error', () => this.#receiving.add(0, () => this.#onError()));
    socket.addEventListener('close', (event: CloseDetail) =>
      this.#receiving.add(0, () => this.#onClose(event)),
    );
  }

  async #send(message: string | Uint8Array<ArrayBuffer> | Blob): Promise<void> {
    if (this.#fault !== undefined) return;
    const plain = message instanceof Blob ? new Uint8Array(await message.arrayBuffer()) : message;
    this.#socket.send(this.#format === undefined ? plain : await this.#format.toWire(plain));
  }

  async #receive(wire: string | Uint8Array<ArrayBuffer>): Promise<void> {
    if (!this.#isDelivering()) return;
    const message = this.#format === undefined ? wire : await this.#format.fromWire(wire);
    if (!this.#isDelivering()) return;
    const data = typeof message === 'string' ? message : this.#asBinaryType(message);
    this.dispatchEvent(new MessageEvent('message', { data, origin: this.#origin }));
  }

  /** As with any WebSocket, nothing is delivered after close(). */
  #isDelivering(): boolean {
    return this.#state === open;
  }

  #asBinaryType(bytes: Uint8Array): ArrayBuffer | Blob {
    // Unlike slice(), also of a Buffer this is a copy.
    const { buffer } = new Uint8Array(bytes);
    return this.binaryType === 'blob' ? new Blob([buffer]) : buffer;
  }

  /** Ends the connection for what this client cannot go on with. */
  #fail(error: unknown): void {
    if (this.#fault !== undefined || this.#state === closed) return;
    const code = closeCodes[error instanceof CodecError ? error.fault : 'not-loaded'];
    const reason = error instanceof CodecError ? error.message : 'a codec or dictionary does not load';
    this.#state = closing;
    this.#fault = { code, reason, wasClean: false };
    this.dispatchEvent(Object.assign(new Event('error'), { error, message: reason }));
    this.#socket.close(code, reason);
  }

  #onError(): void {
    if (this.#fault === undefined) this.dispatchEvent(new Event('error'));
    // Node 22 leaves it at that when there is no connection; the standard wants a close event then.
    if (this.#socket.readyState === connecting) this.#onClose({ code: 1006, reason: '', wasClean: false });
  }

  #onClose({ code, reason, wasClean }: CloseDetail): void {
    if (this.#state === closed) return;
    this.#state = closed;
    this.dispatchEvent(closeEvent(this.#fault ?? { code, reason, wasClean }));
  }
}

/** The address as WebSockets take it: relative to the page, and with http for ws. */
function parseAddress(url: string | URL): URL {
  const { location } = globalThis as { location?: { href: string } };
  if (!URL.canParse(url.toString(), location?.href))
    throw new DOMException(`The URL '${url.toString()}' is invalid`, 'SyntaxError');
  const address = new URL(url, location?.href);
  address.protocol = address.protocol.replace('http', 'ws');
  return address;
}

/** Unlike `searchParams.set`, it leaves the others as they are written. */
function setParameter(address: URL, name: string, value: string): void {
  if (address.searchParams.has(name)) address.searchParams.set(name, value);
  else address.search += `${address.search === '' ? '?' : '&'}${name}=${value}`;
}

/** What is sent, in memory that does not change any more. */
function asMessage(
  data: string | ArrayBufferLike | ArrayBufferView | Blob,
): string | Uint8Array<ArrayBuffer> | Blob {
  if (data instanceof Blob) return data;
  if (ArrayBuffer.isView(data))
    return new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return typeof data === 'string' ? data : new Uint8Array(new Uint8Array(data));
}

function sizeOf(message: string | Uint8Array | Blob): number {
  if (typeof message === 'string') return new TextEncoder().encode(message).length;
  return message instanceof Blob ? message.size : message.length;
}

function checkClosing(code: number | undefined, reason = ''): void {
  if (code !== undefined && code !== 1000 && (code < 3000 || code > 4999))
    throw new DOMException('The close code is neither 1000 nor 3000 to 4999', 'InvalidAccessError');
  if (sizeOf(reason) > maxReasonBytes)
    throw new DOMException(`The close reason is longer than ${maxReasonBytes} bytes`, 'SyntaxError');
}
