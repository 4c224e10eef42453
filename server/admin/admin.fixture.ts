import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import { onTearDown } from '../../test/support/tear-down.ts';
import { errorTypes, rejectReasons } from '../close-codes.ts';
import { AdminServer, type AdminOptions } from './admin-server.ts';
import type { ClientsControl } from './clients-control.ts';
import type { HealthControl } from './health-control.ts';
import type { LimitsControl } from './limits-control.ts';
import type { LiveControl } from './live-control.ts';
import type { PoolsControl } from './pools-control.ts';

const noLimits: LimitsControl = {
  routes: ['/ws'],
  snapshot: () => ({ limits: [], shared: { redis: 'off' } }),
  replace: () => undefined,
};

const noClients: ClientsControl = {
  page: ({ offset, limit }) => ({ total: 0, offset, limit, clients: [] }),
  dismiss: () => false,
};

const noPools: PoolsControl = {
  reports: () => [],
  report: () => undefined,
  upstreams: () => [],
  urlsOf: () => undefined,
  pause: () => Promise.reject(new Error('there is no pool')),
  resume: () => undefined,
  reconnect: () => undefined,
  setUpstreams: () => ({ added: [], removed: [] }),
};

const noLive: LiveControl = { history: [], latest: undefined, watch: () => () => undefined };

const noHealth: HealthControl = {
  report: () => {
    throw new Error('nobody is well');
  },
};

/** An admin listener on a free port, closed with its test. */
export async function openAdmin(options: Partial<AdminOptions> = {}): Promise<AdminServer> {
  const admin = await AdminServer.open({
    host: '127.0.0.1',
    port: 0,
    token: null,
    metrics: new GatewayMetrics({ errorTypes, rejectReasons }),
    pools: () => [],
    codecs: () => [],
    rateLimits: () => ({ decisions: [], keys: [], sharedUp: undefined }),
    process: () => ({ version: '0', maxConnections: 1, memoryLimitBytes: 1, heapLimitBytes: 1, workers: [] }),
    limits: noLimits,
    clients: noClients,
    operations: noPools,
    live: noLive,
    health: noHealth,
    drain: () => undefined,
    readiness: () => ({ ready: true, why: '' }),
    log: { info: () => undefined },
    onError: () => undefined,
    ...options,
  });
  onTearDown(() => admin.close());
  return admin;
}

/** What the admin listener answered. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** An HTTP request with whatever Host and other headers. */
export async function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  sent?: string | Buffer,
): Promise<Reply> {
  const outgoing = request({ host: '127.0.0.1', port, path, method, headers, agent: false });
  outgoing.end(sent);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  // An answer may come before all of the body is sent.
  outgoing.on('error', () => undefined);
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode!, headers: response.headers, body };
}
