import { isIP } from 'node:net';
import type { Member } from './balancers/balancer.ts';

export interface EndpointOptions {
  readonly url: string;
  /** Frames to it need no masking key even when it is not on this machine. */
  readonly trusted: boolean;
}

/** Where an upstream listens, and how its dials have gone lately. */
export class Endpoint implements Member {
  readonly url: string;
  readonly secure: boolean;
  /** Path of a unix socket, or undefined for TCP. */
  readonly socketPath: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Value of the Host header. */
  readonly authority: string;
  /** Request target: path and query. */
  readonly path: string;
  /** `Basic …` from the URL's userinfo. */
  readonly authorization: string | undefined;
  readonly trusted: boolean;
  /** The URL without userinfo and query, fit for logs and labels. */
  readonly label: string;
  /** Connections to it, dialling ones included. */
  connections = 0;
  /** Dials failed in a row; 0 after a success. */
  failures = 0;
  /** When a connection to it was opened last. */
  openedAtMs = 0;
  /** Dials begun so far, and how many of them had begun when one failed last. */
  dials = 0;
  dialsOfFailure = 0;
  /** A connection was opened after the last one was lost. */
  openedSinceLoss = false;
  /** Connections lost in a row soon after they were opened. */
  losses = 0;
  /** No background dial before this time. */
  retryAtMs = 0;

  constructor({ url, trusted }: EndpointOptions) {
    const unix = /^ws\+unix:(?:\/\/)?([^:]+)(?::(.*))?$/.exec(url);
    const parsed = new URL(unix ? `ws://localhost${unix[2] ?? '/'}` : url);
    this.url = url;
    this.secure = parsed.protocol === 'wss:';
    this.socketPath = unix?.[1];
    this.host = parsed.hostname.replace(/^\[|\]$/g, '');
    this.port = Number(parsed.port) || (this.secure ? 443 : 80);
    this.authority = parsed.host;
    this.path = parsed.pathname + parsed.search;
    this.authorization = basicAuthorization(parsed);
    this.trusted = trusted || this.socketPath !== undefined || isLoopback(this.host);
    this.label = unix ? `ws+unix:${unix[1]}` : `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
  }

  get load(): number {
    return this.connections;
  }

  /** False while its last dial failed; the balancer then prefers others. */
  get available(): boolean {
    return this.failures === 0;
  }

  /** Name for TLS server name indication; undefined for an IP address, which TLS does not allow there. */
  get serverName(): string | undefined {
    return isIP(this.host) === 0 ? this.host : undefined;
  }
}

function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
