import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import zlib from 'node:zlib';
import { WebSocketServer, type WebSocket } from 'ws';
import { onTearDown } from '../../test/support/tear-down.ts';
import { parseDictionary } from '../dictionary.ts';
import type { CodecName } from './packer.ts';

/** A message as it came over the wire, with what its flag byte says; a text message has none. */
export interface WireMessage {
  readonly flags: number | undefined;
  readonly wireBytes: number;
  readonly plain: Buffer;
}

/** A server of the wire format, written with node:zlib alone. */
export interface WireServer {
  readonly url: string;
  /** Path and query of each request, dictionaries included. */
  readonly requests: string[];
  readonly received: WireMessage[];
  /** The socket of the newest connection. */
  readonly socket: () => WebSocket;
  readonly close: () => void;
}

export interface WireServerOptions {
  /** Packs zstd, and is served; undefined for none. */
  readonly dictionary?: Buffer;
  /** What is served as the dictionary, when it is not that. */
  readonly servedDictionary?: Buffer;
  /** The dictionary is never given. */
  readonly stallsDictionary?: boolean;
  /** What happens with a message; by default it is sent back, compressed whatever its size. */
  readonly onMessage?: (socket: WebSocket, message: WireMessage, codec: WireCodec) => void;
}

export interface WireCodec {
  /** `plain` compressed, as it goes over the wire. */
  readonly wire: (plain: Buffer | string) => Buffer;
}

const options = (dictionary: Buffer | undefined) => (dictionary === undefined ? {} : { dictionary });

/** Compresses as the server of a codec does. */
export function packWith(codec: CodecName, plain: Buffer, dictionary?: Buffer): Buffer {
  if (codec === 'zstd') return zlib.zstdCompressSync(plain, options(dictionary));
  return codec === 'gzip' ? zlib.gzipSync(plain) : zlib.brotliCompressSync(plain);
}

function unpackWith(codec: CodecName, packed: Buffer, dictionary?: Buffer): Buffer {
  if (codec === 'zstd') return zlib.zstdDecompressSync(packed, options(dictionary));
  return codec === 'gzip' ? zlib.gunzipSync(packed) : zlib.brotliDecompressSync(packed);
}

/** Starts one on a free loopback port, until the test file ends. */
export async function startWireServer(settings: WireServerOptions = {}): Promise<WireServer> {
  const { dictionary, servedDictionary = dictionary, stallsDictionary = false, onMessage = echo } = settings;
  const requests: string[] = [];
  const received: WireMessage[] = [];
  const sockets: WebSocket[] = [];
  const http = createServer((request, response) => {
    requests.push(request.url!);
    if (stallsDictionary) return;
    const known = dictionary && request.url === `/dictionary/${parseDictionary(dictionary).id}`;
    response.writeHead(known ? 200 : 404).end(known ? servedDictionary : 'no such dictionary');
  });
  const webSockets = new WebSocketServer({ server: http, handleProtocols: () => 'chosen' });
  webSockets.on('connection', (socket, request) => {
    requests.push(request.url!);
    sockets.push(socket);
    const { searchParams } = new URL(request.url!, 'ws://localhost');
    const name = searchParams.get('codec') as CodecName | null;
    const codec: WireCodec = {
      wire: (plain) => {
        const flags = typeof plain === 'string' ? 3 : 1;
        return Buffer.concat([Buffer.of(flags), packWith(name!, Buffer.from(plain), dictionary)]);
      },
    };
    socket.on('message', (data: Buffer, isBinary) => {
      const flags = isBinary && name !== null ? data[0] : undefined;
      const payload = flags === undefined ? data : data.subarray(1);
      const plain = ((flags ?? 0) & 1) === 0 ? payload : unpackWith(name!, payload, dictionary);
      const message = { flags, wireBytes: data.length, plain };
      received.push(message);
      if (name === null) socket.send(data, { binary: isBinary });
      else onMessage(socket, message, codec);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    for (const socket of sockets) socket.terminate();
    http.closeAllConnections();
    http.close();
  };
  onTearDown(close);
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/ws`;
  return { url, requests, received, socket: () => sockets.at(-1)!, close };
}

function echo(socket: WebSocket, { flags, plain }: WireMessage, { wire }: WireCodec): void {
  const isText = flags === undefined || (flags & 2) !== 0;
  socket.send(wire(isText ? plain.toString() : plain));
}
