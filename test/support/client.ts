import { WebSocket } from 'ws';
import type { ClientOptions, RawData } from 'ws';
import { onTearDown } from './tear-down.ts';

/** One message as a client got it. */
export interface Received {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** How a connection ended. */
export interface Closed {
  readonly code: number;
  readonly reason: string;
}

/** A `ws` client whose messages are taken one by one. */
export interface Client {
  readonly socket: WebSocket;
  readonly closed: Promise<Closed>;
  send(data: string | Buffer | object): void;
  /** The next message; throws after `withinMs`, or when the connection closes first. */
  next(withinMs?: number): Promise<Received>;
  nextText(withinMs?: number): Promise<string>;
  nextJson(withinMs?: number): Promise<Json>;
  /** Sends `message` and takes the next message, as JSON. */
  call(message: string | object, withinMs?: number): Promise<Json>;
  /** Messages that arrived and were not taken. */
  waiting(): number;
  close(code?: number, reason?: string): Promise<Closed>;
}

/** A JSON-RPC 2.0 reply, as far as it was understood. */
export interface Json {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly method?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Options of `ws`, and the subprotocols offered. */
export interface ConnectOptions extends ClientOptions {
  readonly protocols?: string[];
}

/** Connects to `url`; throws `refused with <status>` when the upgrade is refused. */
export function connectClient(url: string, options: ConnectOptions = {}): Promise<Client> {
  const { protocols, ...rest } = options;
  const socket = new WebSocket(url, protocols ?? [], { perMessageDeflate: false, ...rest });
  const client = clientOf(socket);
  onTearDown(() => socket.terminate());
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(client));
    socket.once('error', reject);
    socket.once('unexpected-response', (request, response) => {
      reject(new Error(`refused with ${response.statusCode ?? 0}`));
      request.destroy();
    });
  });
}

function clientOf(socket: WebSocket): Client {
  const arrived: Received[] = [];
  const takers: ((message: Received) => void)[] = [];
  socket.on('message', (data: RawData, isBinary) => {
    const message = { data: asBuffer(data), isBinary };
    const taker = takers.shift();
    if (taker === undefined) arrived.push(message);
    else taker(message);
  });
  socket.on('error', () => undefined);
  const closed = new Promise<Closed>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  const next = (withinMs = 5_000): Promise<Received> => {
    const message = arrived.shift();
    if (message !== undefined) return Promise.resolve(message);
    return new Promise((resolve, reject) => {
      const giveUp = (why: string): void => {
        const index = takers.indexOf(take);
        if (index < 0) return;
        takers.splice(index, 1);
        clearTimeout(timer);
        reject(new Error(why));
      };
      const timer = setTimeout(() => giveUp(`no message within ${withinMs} ms`), withinMs);
      const take = (taken: Received): void => {
        clearTimeout(timer);
        resolve(taken);
      };
      takers.push(take);
      void closed.then(({ code, reason }) => giveUp(`closed with ${code} '${reason}' before a message came`));
    });
  };
  const nextText = async (withinMs?: number): Promise<string> => (await next(withinMs)).data.toString();
  const nextJson = async (withinMs?: number): Promise<Json> => JSON.parse(await nextText(withinMs)) as Json;
  const send = (data: string | Buffer | object): void => {
    socket.send(typeof data === 'string' || Buffer.isBuffer(data) ? data : JSON.stringify(data));
  };
  return {
    socket,
    closed,
    send,
    next,
    nextText,
    nextJson,
    call: (message, withinMs) => {
      send(message);
      return nextJson(withinMs);
    },
    waiting: () => arrived.length,
    close: (code, reason) => {
      socket.close(code, reason);
      return closed;
    },
  };
}

function asBuffer(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}
