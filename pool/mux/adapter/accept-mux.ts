import type { IncomingMessage } from 'node:http';
import { Turn } from '../../turn.ts';
import { maxCredit, minWindow } from '../frames.ts';
import { GatewayConnection, type ServeUpgrade } from './gateway-connection.ts';
import { Gateways } from './gateways.ts';
import { gatewayServer, offersMux, type ClientOf, type WsServer } from './ws-server.ts';

export type { ClientOf, ServeUpgrade, WsServer };

/** Gets each client that comes through a gateway, in place of a 'connection' event. */
export type OnClient<Server> = (client: ClientOf<Server>, request: IncomingMessage) => void;

export interface MuxOptions {
  /** Bytes that each client may send ahead of what the server has read; 4,194,304 by default. */
  readonly windowBytes?: number;
  /** Most clients on one connection from a gateway; 16,384 by default. More are refused with 503. */
  readonly maxClients?: number;
  /** Whether this is the upgrade request of a gateway; by default one without Origin, which browsers always send. Others get 401. */
  readonly verifyGateway?: (request: IncomingMessage) => boolean;
  /** Serves the clients in place of the server, as a listener of 'upgrade' would: for other libraries. */
  readonly onUpgrade?: ServeUpgrade;
  /** How often a gateway that is silent is asked for a sign of life; 30,000 by default, 0 for never. */
  readonly heartbeatMs?: number;
}

/** What a client says at once has to fit: a gateway cannot make it wait. TCP takes about as much ahead of a reader. */
const defaultWindowBytes = 4_194_304;

/**
 * Lets a server of the package `ws` accept clients from a wsluice in `mux` mode, beside those that connect by
 * themselves. Each of them is a `WebSocket` of `ws` like any other: it comes as a 'connection', or to `onClient`. Returns the
 * server. Throws WSLUICE_OPTION when an option is out of range.
 */
export function acceptMux<Server extends WsServer>(
  server: Server,
  onClient?: OnClient<Server> | MuxOptions,
  options: MuxOptions = typeof onClient === 'object' ? onClient : {},
): Server {
  const { windowBytes = defaultWindowBytes, maxClients = 16_384, heartbeatMs = 30_000 } = options;
  checkRange('windowBytes', windowBytes, minWindow, maxCredit);
  checkRange('maxClients', maxClients, 1, maxCredit);
  checkRange('heartbeatMs', heartbeatMs, 0, maxCredit);
  const forGateways = gatewayServer(server, options.verifyGateway ?? sendsNoOrigin);
  const gateways = new Gateways(heartbeatMs);
  const turn = new Turn({ onError: throwLater });
  const fromGateways = new WeakSet<IncomingMessage>();
  const handleUpgrade = server.handleUpgrade.bind(server);
  const shouldHandle = server.shouldHandle.bind(server);
  const close = server.close.bind(server);

  const serveClient: ServeUpgrade = (request, socket, head) => {
    fromGateways.add(request);
    handleUpgrade(request, socket, head, (client) => {
      if (typeof onClient === 'function') onClient(client as ClientOf<Server>, request);
      else server.emit('connection', client, request);
    });
  };
  const serve = options.onUpgrade ?? serveClient;

  server.handleUpgrade = (request, socket, head, done) => {
    if (!offersMux(request)) return handleUpgrade(request, socket, head, done);
    forGateways.handleUpgrade(request, socket, head, (carrier) => {
      const isSecure = 'encrypted' in request.socket;
      const gateway = new GatewayConnection({
        socket: carrier,
        isSecure,
        windowBytes,
        maxClients,
        turn,
        serve,
        onServerError: throwLater,
      });
      gateways.add(gateway);
      carrier.on('close', () => gateways.remove(gateway));
    });
  };
  // The path that a client asked of the gateway is not the one at which the gateway finds this server.
  server.shouldHandle = (request) => fromGateways.has(request) || shouldHandle(request);
  server.close = (done) => {
    gateways.goAway();
    close(done);
  };
  return server;
}

function sendsNoOrigin(request: IncomingMessage): boolean {
  return request.headers.origin === undefined;
}

/** What an application throws is for the process to hear of, as if there were no gateway; other clients go on. */
function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}

function checkRange(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  const error = new RangeError(`${name}: ${value} is not an integer from ${min} to ${max}`);
  throw Object.assign(error, { code: 'WSLUICE_OPTION' });
}
