import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import type { PoolSnapshot } from '../../metrics/pool-snapshot.ts';
import { createRegistry, type RegistryOptions } from '../../metrics/prometheus.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** What `Authorization: Bearer` must carry; null lets everybody in who can reach the port. */
  readonly token: string | null;
  readonly metrics: GatewayMetrics;
  readonly pools: () => readonly PoolSnapshot[];
  readonly codecs: RegistryOptions['codecs'];
  readonly readiness: () => { ready: boolean; why: string };
}

/** The admin listener: health, readiness and metrics. Off the hot path, so plain node:http. */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: Server;
  readonly #text: Registry;
  readonly #openMetrics: Registry;
  readonly #startedAt = Date.now();

  private constructor(options: AdminOptions) {
    this.#options = options;
    this.#text = createRegistry(options);
    this.#openMetrics = createRegistry({ ...options, format: 'openmetrics' });
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => answer(response, 500, 'internal error'));
    });
  }

  /** Opens the port. Throws WSLUICE_LISTEN when it cannot. */
  static async open(options: AdminOptions): Promise<AdminServer> {
    const admin = new AdminServer(options);
    await new Promise<void>((resolve, fail) => {
      admin.#server.once('error', (error) => {
        const message = `cannot open the admin listener on ${options.host}:${options.port}: ${error.message}`;
        fail(Object.assign(new Error(message), { code: 'WSLUICE_LISTEN' }));
      });
      admin.#server.listen(options.port, options.host, resolve);
    });
    return admin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isForUs(request)) {
      answer(response, 403, 'this Host is not the admin listener');
      return;
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      answer(response, 405, 'only GET is known here');
      return;
    }
    const path = (request.url ?? '/').split('?')[0];
    if (path === '/health') {
      this.#health(response);
      return;
    }
    if (path === '/ready') {
      this.#ready(response);
      return;
    }
    if (!this.#isAuthorized(request)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      answer(response, 401, 'send Authorization: Bearer with the value of admin.token');
      return;
    }
    if (path === '/metrics') return this.#metrics(request, response);
    answer(response, 404, 'known here: /health, /ready, /metrics');
  }

  #health(response: ServerResponse): void {
    const uptimeSeconds = Math.round((Date.now() - this.#startedAt) / 1_000);
    const connections = this.#options.metrics.connectionsOpen;
    json(response, 200, { status: 'ok', uptimeSeconds, connections });
  }

  #ready(response: ServerResponse): void {
    const { ready, why } = this.#options.readiness();
    if (ready) json(response, 200, { status: 'ready' });
    else json(response, 503, { status: 'not ready', why });
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const wantsOpenMetrics = request.headers.accept?.includes('application/openmetrics-text') === true;
    const registry = wantsOpenMetrics ? this.#openMetrics : this.#text;
    const body = await registry.metrics();
    response.writeHead(200, { 'Content-Type': registry.contentType }).end(body);
  }

  /** A name in Host that is not ours means that a web page was made to point at this port (DNS rebinding). */
  #isForUs(request: IncomingMessage): boolean {
    if (this.#options.token !== null) return true;
    const name = (request.headers.host ?? '').replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    return name === 'localhost' || name === this.#options.host || isIP(name) !== 0;
  }

  #isAuthorized(request: IncomingMessage): boolean {
    const { token } = this.#options;
    if (token === null) return true;
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    return timingSafeEqual(digest(given), digest(token));
  }
}

/** Of equal length whatever the text, as the comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

function answer(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${body}\n`);
}
