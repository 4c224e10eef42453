import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Received } from './client.ts';
import { codecHeader, unpack } from './codec-wire.ts';
import type { CodecName } from './codec-wire.ts';
import { onTearDown } from './tear-down.ts';

/** A backend that agrees to a codec with whoever dials it. */
export interface CodecBackend {
  readonly url: string;
  /** How each connection that ended was closed. */
  readonly closings: readonly number[];
}

/** What a codec backend does with a message, given unpacked; `socket.send` sends what it is given as it is. */
export type OnMessage = (socket: WebSocket, message: Received) => void;

/** Starts a backend that agrees to `wsluice.<codec>`. */
export async function startCodecBackend(codec: CodecName, onMessage: OnMessage): Promise<CodecBackend> {
  const closings: number[] = [];
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => `wsluice.${codec}`,
  });
  server.on('headers', (headers) => headers.push(`${codecHeader}: ${codec}`));
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('close', (code) => closings.push(code));
    socket.on('message', (data, isBinary) => {
      onMessage(socket, unpack(codec, { data: data as Buffer, isBinary }));
    });
  });
  await once(server, 'listening');
  onTearDown(async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, closings };
}
