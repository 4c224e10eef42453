import { randomUUID } from 'node:crypto';
import { dictionariesHeader } from '../codec/dictionary.ts';
import type { MessageCodec } from '../codec/message-codec.ts';
import type { CodecName } from '../codec/registry.ts';
import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { indexByName } from '../metrics/gateway-metrics.ts';
import type { NoSeat } from '../pool/client-side.ts';
import type { Pool } from '../pool/pool.ts';
import type { PriorityName } from '../pool/waiting/priority.ts';
import type { ClientKeys } from '../ratelimit/limit-config.ts';
import type { Limits } from '../ratelimit/limits.ts';
import type { Admission } from './admission.ts';
import { Arrival, type Seated } from './arrival.ts';
import { addressKey, plainAddress, type ClientAddresses } from './client-address.ts';
import { rejectReasons } from './close-codes.ts';
import type { Codecs } from './codecs.ts';
import { clientIdentity } from './client-identity.ts';
import type { Config, PoolConfig } from './config/schema.ts';
import { forwardedRequest, type Forwarded, type ForwardingOptions } from './forwarding.ts';
import {
  badOrigin,
  checkHandshake,
  isAllowedOrigin,
  isRejection,
  reject,
  type Handshake,
  type Rejection,
  type UpgradeRequest,
} from './handshake.ts';
import type { Answer, UpgradeTerms } from './listener.ts';
import type { Log } from './log.ts';

export interface GateOptions {
  readonly config: Config;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly admission: Admission;
  readonly addresses: ClientAddresses;
  readonly limits: Limits;
  readonly codecs: Codecs;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

/** Where clients fetch the dictionaries that frames name by their id. */
const dictionaryPath = '/dictionary/';

interface Route extends ForwardingOptions {
  readonly pool: Pool;
  /** The class that its clients' requests wait in. */
  readonly priority: PriorityName;
}

/** Decides about each request to the client listener: handshake, caps, and a seat in the pool of its path. */
export class Gate {
  /** Nobody is let in any more. */
  closed = false;
  readonly #options: GateOptions;
  readonly #arrivals = new Set<Arrival>();
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #rejectIndex = indexByName(rejectReasons);

  constructor(options: GateOptions) {
    this.#options = options;
    const { config, pools } = options;
    this.#allowedOrigins = new Set(config.listen.allowedOrigins);
    this.#routes = new Map(
      config.routes.map(({ path, pool, priority }) => [
        path,
        routeTo(config.pools[pool]!, pools.get(pool)!, priority),
      ]),
    );
  }

  /** Answers the request, at once or when an upstream was found. */
  onRequest(request: UpgradeRequest, peerAddress: string, answer: Answer<Seated>): void {
    if (request.path === '/health' && request.method === 'GET') {
      answer.end(200, [['Content-Type', 'application/json']], '{"status":"ok"}');
      return;
    }
    const route = this.#routes.get(request.path);
    if (route === undefined && request.path.startsWith(dictionaryPath))
      return this.#sendDictionary(request, answer);
    if (route === undefined)
      return this.#reject(answer, reject('path', 404, 'there is nothing at this path'));
    const handshake = checkHandshake(request, {
      allowedOrigins: this.#allowedOrigins,
      codecs: this.#options.codecs.offered,
    });
    if (isRejection(handshake)) return this.#reject(answer, handshake);
    if (this.closed) return this.#reject(answer, goingAway());
    const { addresses, admission } = this.#options;
    const peer = plainAddress(peerAddress);
    const address = addresses.resolve(peer, request.header('x-forwarded-for'));
    const keys = this.#keysOf(request, addressKey(address));
    const refusal = this.#refusal(keys) ?? admission.enter(keys.ip);
    if (refusal !== undefined) return this.#reject(answer, refusal);
    const forwarded = forwardedRequest(request, handshake, route, {
      address,
      peerAddress: peer,
      peerTrusted: addresses.isTrusted(peer),
    });
    this.#findSeat(route, forwarded, handshake, keys, answer);
  }

  /** Lets nobody in any more; those who still wait for an upstream are turned away. */
  close(): void {
    this.closed = true;
    for (const arrival of this.#arrivals) arrival.turnAway(goingAway());
  }

  #keysOf(request: UpgradeRequest, ip: string): ClientKeys {
    const { identity } = this.#options.config;
    return { ip, identity: clientIdentity(request, identity) ?? ip, route: request.path };
  }

  #refusal(keys: ClientKeys): Rejection | undefined {
    const waitMs = this.#options.limits.arrive(keys);
    if (waitMs === 0) return undefined;
    const seconds = Math.ceil(waitMs / 1_000);
    return reject('rate-limit', 429, 'rate limit exceeded: try again later', [
      ['Retry-After', String(seconds)],
    ]);
  }

  /** From here on the client is counted in: each way out but the seat counts it out again. */
  #findSeat(
    { pool, priority }: Route,
    { dial, requestId }: Forwarded,
    handshake: Handshake,
    keys: ClientKeys,
    answer: Answer<Seated>,
  ): void {
    const codec = this.#codecOf(handshake);
    const arrival = new Arrival({
      handshake,
      keys,
      codec,
      requestId,
      codecHeaders: this.#codecHeaders(codec),
      answer,
      timeoutMs: this.#options.config.listen.handshakeTimeoutMs,
      reject: (rejection) => this.#reject(answer, rejection, requestId),
      onLeft: () => this.#options.admission.leave(keys.ip),
      onSettled: () => this.#arrivals.delete(arrival),
    });
    this.#arrivals.add(arrival);
    try {
      const giveUp = pool.acquire(
        dial,
        {
          onSeat: (seat) => {
            if (this.closed) arrival.turnAway(goingAway());
            arrival.take(seat);
          },
          onRefused: (refusal) => arrival.turnAway(noSeat(refusal)),
        },
        priority,
      );
      arrival.waitFor(giveUp);
    } catch (error) {
      arrival.turnAway(reject('internal', 500, 'internal error'));
      throw error;
    }
  }

  #codecOf({ codec, dictionaryId, peersDictionaryIds }: Handshake): MessageCodec | undefined {
    const { codecs } = this.#options;
    if (codec === undefined) return undefined;
    const common = peersDictionaryIds === '' ? undefined : codecs.commonDictionary(peersDictionaryIds);
    return codecs.forClient(codec as CodecName, common ?? dictionaryId);
  }

  #codecHeaders(codec: MessageCodec | undefined): UpgradeTerms['headers'] {
    if (codec === undefined) return [];
    const named = ['Wsluice-Codec', codec.name] as const;
    return codec.name === 'zstd'
      ? [named, [dictionariesHeader, this.#options.codecs.dictionaryIds]]
      : [named];
  }

  /** A dictionary by its id. It never changes, and may hold pieces of messages: web pages get it only where they may connect. */
  #sendDictionary(request: UpgradeRequest, answer: Answer<Seated>): void {
    const id = request.path.slice(dictionaryPath.length);
    const dictionary = /^\d{1,10}$/.test(id) ? this.#options.codecs.dictionary(Number(id)) : undefined;
    if (dictionary === undefined)
      return this.#reject(answer, reject('path', 404, 'there is no dictionary with this id'));
    if (request.method !== 'GET')
      return this.#reject(answer, reject('path', 405, 'a dictionary is only for GET'));
    const origin = request.header('origin');
    if (!isAllowedOrigin(origin, this.#allowedOrigins)) return this.#reject(answer, badOrigin());
    const headers: [string, string][] = [
      ['Content-Type', 'application/octet-stream'],
      ['Cache-Control', 'public, max-age=31536000, immutable'],
      ['Vary', 'Origin'],
    ];
    if (origin !== '') headers.push(['Access-Control-Allow-Origin', origin]);
    answer.end(200, headers, dictionary.bytes);
  }

  #reject(answer: Answer<Seated>, { reason, status, body, headers }: Rejection, requestId?: string): void {
    this.#options.metrics.rejected(this.#rejectIndex[reason]);
    this.#options.log.debug({ requestId: requestId || undefined, reason, status }, 'client rejected');
    answer.end(status, headers, body);
  }
}

function routeTo(config: PoolConfig, pool: Pool, priority: PriorityName): Route {
  const { mode, forwardHeaders, forwardQuery, minConnections } = config;
  const isShared = mode === 'request' || pool.operations === undefined;
  const opensEach = mode === 'mux' || minConnections === 0;
  const opensFor = isShared ? 'none' : opensEach ? 'each' : 'special';
  return { pool, priority, mode, forwardHeaders, forwardQuery, opensFor, newRequestId: randomUUID };
}

function goingAway(): Rejection {
  return reject('draining', 503, 'this gateway is going away: connect again', [['Retry-After', '1']]);
}

/** An upstream's own refusal is passed on; without any upstream the client is told when to come back. */
function noSeat({ status, retryAfterMs }: NoSeat): Rejection {
  if (status !== undefined && status >= 400 && status < 500) {
    return reject('upstream-refused', status, 'the upstream refused the connection');
  }
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return reject('no-upstream', 503, 'no upstream is available: try again later', [
    ['Retry-After', String(seconds)],
  ]);
}
