import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { maxCarrierBytes, muxSubprotocol } from '../frames.ts';
import type { CarrierSocket } from './gateway-connection.ts';

/** What a `WebSocketServer` of the package `ws` is used for. */
export interface WsServer {
  options: object;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    done: (client: CarrierSocket, request: IncomingMessage) => void,
  ): void;
  shouldHandle(request: IncomingMessage): boolean | Promise<boolean>;
  close(done?: (error?: Error) => void): void;
  emit(event: 'connection' | 'headers', ...values: unknown[]): boolean;
}

/** A `WebSocket` as the server makes them. */
export type ClientOf<Server> = Server extends { readonly clients: Set<infer Client> } ? Client : unknown;

/**
 * The same server, of the same state, for connections from gateways: it agrees to the mux protocol, keeps no list, and asks
 * nobody but `verify`, because what the application asks is about clients.
 */
export function gatewayServer(server: WsServer, verify: (request: IncomingMessage) => boolean): WsServer {
  const options = {
    maxPayload: maxCarrierBytes,
    perMessageDeflate: false,
    // Whatever is in a text message, that it is one is what is wrong with it.
    skipUTF8Validation: true,
    handleProtocols: () => muxSubprotocol,
    verifyClient: ({ req }: { readonly req: IncomingMessage }) => verify(req),
  };
  const emit = (event: 'connection' | 'headers', ...values: unknown[]): boolean =>
    event !== 'headers' && server.emit(event, ...values);
  return Object.create(server, {
    // The one it has now, not the one that leads here.
    handleUpgrade: { value: Reflect.get(server, 'handleUpgrade') },
    options: { get: () => ({ ...server.options, ...options }) },
    clients: { value: undefined },
    emit: { value: emit },
  }) as WsServer;
}

/** Whether an upgrade request offers the mux protocol. */
export function offersMux(request: IncomingMessage): boolean {
  const offered = request.headers['sec-websocket-protocol'] ?? '';
  return offered.split(',').some((protocol) => protocol.trim() === muxSubprotocol);
}
