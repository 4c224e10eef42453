import { connectClient, type Client } from './client.ts';
import { connectCodecClient } from './codec-client.ts';
import { every } from './every.ts';
import { startGateway, type Gateway } from './gateway.ts';
import { startJsonRpcBackend } from './json-rpc-backend.ts';
import { startMuxBackend } from './mux-backend.ts';
import { startSessionBackend } from './session-backend.ts';
import { request } from './volley.ts';

const plenty = { strategy: 'token-bucket', requestsPerSecond: 1_000_000 } as const;

/** What a gateway under observation is told. */
export interface ObservedOptions {
  /** Where it keeps its limits. */
  readonly redisUrl: string;
  /** What it asks of whoever reads its metrics. */
  readonly token: string | null;
}

/** A gateway that uses all there is: every mode, codec and kind of limit, with steady traffic through each and nothing wrong. */
export async function startWellGateway({ redisUrl, token }: ObservedOptions): Promise<Gateway> {
  const [json, otherJson, session, mux] = await Promise.all([
    startJsonRpcBackend(),
    startJsonRpcBackend(),
    startSessionBackend(),
    startMuxBackend(),
  ]);
  const gateway = await startGateway({
    config: {
      admin: { token },
      heartbeat: { intervalMs: 200, timeoutMs: 30_000 },
      redis: { url: redisUrl },
      rateLimits: [
        { ...plenty, scope: 'global' },
        { ...plenty, scope: 'connection' },
        { ...plenty, scope: 'ip' },
        { ...plenty, scope: 'method', match: 'echo' },
      ],
      routes: ['echo', 'session', 'request', 'mux'].map((pool) => ({ path: `/${pool}`, pool })),
      pools: {
        echo: {},
        session: { upstreams: [session.url] },
        request: { mode: 'request', upstreams: [json.url, otherJson.url], minConnections: 2 },
        mux: { mode: 'mux', upstreams: [mux.url] },
      },
    },
  });
  for (const pool of ['echo', 'session', 'mux'])
    chat(await connectClient(gateway.at(`/${pool}`)), () => 'hello');
  chat(await connectClient(gateway.at('/request')), (n) => request(n));
  const large = JSON.stringify(Array.from({ length: 300 }, (_, n) => ({ n, name: `number ${n}` })));
  for (const codec of ['zstd', 'brotli', 'gzip'] as const) {
    const client = await connectCodecClient(gateway.at(`/echo?codec=${codec}`), { codec });
    every(250, () => client.echo(large));
  }
  return gateway;
}

/** Has a client say something ten times a second, whatever is answered. */
export function chat(client: Client, message: (n: number) => string | object): void {
  let n = 0;
  every(100, () => client.send(message(++n)));
}
