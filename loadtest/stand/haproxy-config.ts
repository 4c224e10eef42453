export interface HaproxyConfigOptions {
  readonly port: number;
  readonly backendPort: number;
  readonly upstreamPath: string;
  readonly clients: number;
}

/** Connections beside those of the clients: whoever looks whether the port is open. */
const otherConnections = 100;

/**
 * Returns the config of a HAProxy that tunnels WebSocket connections 1:1 at its best. It works in HTTP mode, as nginx and the gateway do:
 * it reads the handshake, chooses by it, and copies bytes afterwards.
 */
export function haproxyConfig({ port, backendPort, upstreamPath, clients }: HaproxyConfigOptions): string {
  const maxConnections = clients + otherConnections;
  return `
global
  # One thread against one thread: the gateway and nginx have one each.
  nbthread 1
  # Files and buffers for all clients; by default the limit of open files would decide.
  maxconn ${maxConnections}
  # What is off by default stays off: splicing, which pays for long transfers and not for messages of 70 bytes, and busy-polling, which
  # would take the cores that loader and backend need.
defaults
  mode http
  # No log line for a connection.
  no log
  maxconn ${maxConnections}
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  # After the 101 it is this one that counts: a client that is silent for a moment must not be dropped.
  timeout tunnel 1h
frontend clients
  bind 127.0.0.1:${port} backlog 4096
  # The backend counts connections by path. Done once for a connection.
  http-request set-path ${upstreamPath}
  default_backend backend
backend backend
  # No check: it would be one more connection, and no cap of its own.
  server backend 127.0.0.1:${backendPort} maxconn 0
`;
}
