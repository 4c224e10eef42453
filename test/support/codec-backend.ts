import type { WebSocket } from 'ws';
import { startBackend } from './backend.ts';
import type { Backend } from './backend.ts';
import type { Received } from './client.ts';
import { unpack, type CodecName } from './codec-wire.ts';

/** A backend that agrees to a codec with whoever dials it. */
export interface CodecBackend extends Backend {
  /** How each connection that ended was closed. */
  readonly closings: readonly number[];
}

/** What a codec backend does with a message, given unpacked; `socket.send` sends what it is given as it is. */
export type OnMessage = (socket: WebSocket, message: Received) => void;

/** Starts a backend that agrees to `wsluice.<codec>`. */
export async function startCodecBackend(codec: CodecName, onMessage: OnMessage): Promise<CodecBackend> {
  const closings: number[] = [];
  const subprotocol = `wsluice.${codec}`;
  const backend = await startBackend({
    handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    onConnection: (socket) => {
      socket.on('close', (code) => closings.push(code));
      socket.on('message', (data, isBinary) => {
        onMessage(socket, unpack(codec, { data: data as Buffer, isBinary }));
      });
    },
  });
  return { ...backend, closings };
}
