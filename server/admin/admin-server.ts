import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP, type AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import type { PoolSnapshot } from '../../metrics/pool-snapshot.ts';
import { createRegistry, type RegistryOptions } from '../../metrics/prometheus.ts';
import type { Log } from '../log.ts';
import { createServer } from '../node-http.ts';
import { clientEndpoints } from './clients-api.ts';
import type { ClientsControl } from './clients-control.ts';
import { drainOn } from './drain-api.ts';
import { healthEndpoint } from './health-api.ts';
import type { HealthControl } from './health-control.ts';
import { answerJson, answerText } from './http.ts';
import { readLimits, replaceLimits } from './limits-api.ts';
import type { LimitsControl } from './limits-control.ts';
import { liveEndpoint } from './live-api.ts';
import type { LiveControl } from './live-control.ts';
import { pageEndpoints } from './live-page.ts';
import { prefersOpenMetrics } from './metrics-format.ts';
import { performanceEndpoint } from './performance-api.ts';
import { poolEndpoints } from './pools-api.ts';
import type { PoolsControl } from './pools-control.ts';
import { allowedMethods, handlerOf, Routes } from './routes.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** What `Authorization: Bearer` must carry; null lets everybody in who can reach the port. */
  readonly token: string | null;
  readonly metrics: GatewayMetrics;
  readonly pools: () => readonly PoolSnapshot[];
  readonly codecs: RegistryOptions['codecs'];
  /** What the rate limits count, for metrics. */
  readonly rateLimits: RegistryOptions['limits'];
  /** What the process is and may use, for metrics. */
  readonly process: RegistryOptions['process'];
  readonly limits: LimitsControl;
  readonly clients: ClientsControl;
  readonly operations: PoolsControl;
  readonly live: LiveControl;
  readonly health: HealthControl;
  /** Begins what SIGTERM begins. */
  readonly drain: () => void;
  readonly readiness: () => { ready: boolean; why: string };
  /** Hears of every change that is made here. */
  readonly log: Pick<Log, 'info'>;
  /** Hears why an answer is 500, which does not say it. */
  readonly onError: (error: unknown) => void;
}

/** The admin listener: health, readiness, metrics and the limits. Off the hot path, so plain node:http. */
export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: Server;
  readonly #text: Registry;
  readonly #openMetrics: Registry;
  readonly #routes: Routes;
  readonly #startedAt = Date.now();

  private constructor(options: AdminOptions) {
    const { limits, clients, operations, live, drain, log, rateLimits } = options;
    const { metrics, pools, codecs, process } = options;
    const published = { metrics, pools, codecs, limits: rateLimits, process };
    this.#options = options;
    this.#text = createRegistry(published);
    this.#openMetrics = createRegistry({ ...published, format: 'openmetrics' });
    this.#routes = new Routes({
      '/health': { open: true, GET: (_, response) => this.#health(response) },
      '/ready': { open: true, GET: (_, response) => this.#ready(response) },
      '/metrics': { GET: (request, response) => this.#metrics(request, response) },
      '/api/limits': { GET: readLimits(limits), PUT: replaceLimits(limits, log) },
      ...poolEndpoints(operations),
      ...clientEndpoints(clients),
      ...liveEndpoint(live),
      ...healthEndpoint(options.health),
      ...performanceEndpoint({
        ...{ metrics, pools, live, process },
        uptimeSeconds: () => (Date.now() - this.#startedAt) / 1_000,
      }),
      '/api/drain': { POST: drainOn(drain) },
      ...pageEndpoints(),
    });
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        // That the asker went away is no fault.
        if (!response.destroyed) options.onError(error);
        answerText(response, 500, 'internal error');
      });
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
      answerText(response, 403, 'this Host is not the admin listener');
      return;
    }
    const found = this.#routes.find((request.url ?? '/').split('?')[0]!);
    const endpoint = found?.endpoint;
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (endpoint?.open !== true && !this.#isAuthorized(request)) {
      response.setHeader('WWW-Authenticate', 'Bearer');
      if (isRead && endpoint?.withoutToken !== undefined)
        return endpoint.withoutToken(request, response, found!.params);
      answerText(response, 401, 'send Authorization: Bearer with the value of admin.token');
      return;
    }
    if (isRead && found === undefined) {
      answerText(response, 404, `known here: ${this.#routes.paths.join(', ')}`);
      return;
    }
    const handler = handlerOf(endpoint, request.method);
    if (handler === undefined) {
      const known = allowedMethods(endpoint).join(', ');
      response.setHeader('Allow', known);
      answerText(response, 405, `only ${known} are known here`);
      return;
    }
    if (!isRead && !isOfThisSite(request)) {
      answerText(response, 403, 'a page of another origin changes nothing here');
      return;
    }
    return handler(request, response, found!.params);
  }

  #health(response: ServerResponse): void {
    const uptimeSeconds = Math.round((Date.now() - this.#startedAt) / 1_000);
    const connections = this.#options.metrics.connectionsOpen;
    answerJson(response, 200, { status: 'ok', uptimeSeconds, connections });
  }

  #ready(response: ServerResponse): void {
    const { ready, why } = this.#options.readiness();
    if (ready) answerJson(response, 200, { status: 'ready' });
    else answerJson(response, 503, { status: 'not ready', why });
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const registry = prefersOpenMetrics(request.headers.accept) ? this.#openMetrics : this.#text;
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

/** Whether no page asks, or one of the host that was asked. */
function isOfThisSite({ headers: { origin, host = '' } }: IncomingMessage): boolean {
  if (origin === undefined) return host !== '';
  const scheme = /^https?:\/\//i.exec(origin)?.[0];
  return (
    scheme !== undefined && hostOf(origin) !== undefined && hostOf(origin) === hostOf(`${scheme}${host}`)
  );
}

/** Without the port where it is the scheme's own; undefined when it is no URL. */
function hostOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).host : undefined;
}

/** Of equal length whatever the text, as the comparison in constant time needs. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
