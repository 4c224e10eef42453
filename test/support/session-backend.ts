import type { WebSocket } from 'ws';
import { startBackend } from './backend.ts';
import type { Backend, BackendOptions } from './backend.ts';
import type { Closed } from './client.ts';
import { rawText } from './json-rpc-backend.ts';

/** A backend that echoes each message as it came, but obeys a text message that starts with `!`. */
export interface SessionBackend extends Backend {
  /** How each connection that ended was closed, as the backend saw it. */
  readonly closings: readonly Closed[];
}

/** Options of any backend, and a text sent at once on connect. */
export interface SessionBackendOptions extends Omit<BackendOptions, 'onConnection'> {
  readonly greeting?: string;
}

type Command = (socket: WebSocket, args: readonly string[], connection: number) => void;

/**
 * Starts a backend that echoes. Commands: `!number` (of this connection), `!close [code reason]`, `!terminate`,
 * `!fragments a b c`, `!flood <bytes> <count>`, `!ping`.
 */
export async function startSessionBackend(options: SessionBackendOptions = {}): Promise<SessionBackend> {
  const closings: Closed[] = [];
  let connections = 0;
  const backend = await startBackend({
    ...options,
    onConnection: (socket) => {
      const number = ++connections;
      socket.on('close', (code, reason) => closings.push({ code, reason: reason.toString() }));
      socket.on('message', (data, isBinary) => {
        const text = isBinary ? '' : rawText(data);
        if (text.startsWith('!')) obey(socket, text, number);
        else socket.send(data, { binary: isBinary });
      });
      if (options.greeting !== undefined) socket.send(options.greeting);
    },
  });
  return { ...backend, closings };
}

const COMMANDS: Readonly<Record<string, Command>> = {
  number: (socket, _args, connection) => socket.send(String(connection)),
  close: (socket, [code, ...reason]) => {
    if (code === undefined) socket.close();
    else socket.close(Number(code), reason.join(' '));
  },
  terminate: (socket) => socket.terminate(),
  fragments: (socket, parts) => {
    parts.forEach((part, i) => socket.send(part, { fin: i === parts.length - 1 }));
  },
  flood: (socket, [bytes, count]) => {
    const chunk = Buffer.alloc(Number(bytes), 'f');
    for (let i = 0; i < Number(count); i++) socket.send(chunk, { binary: true });
  },
  ping: (socket) => {
    socket.once('pong', (payload) => socket.send(`pong ${payload.toString()}`));
    socket.ping('from the backend');
  },
};

function obey(socket: WebSocket, text: string, connection: number): void {
  const [name = '', ...args] = text.slice(1).split(' ');
  const command = COMMANDS[name];
  if (command === undefined) throw new Error(`no command ${name}`);
  command(socket, args, connection);
}
