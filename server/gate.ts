import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { indexByName } from '../metrics/gateway-metrics.ts';
import type { NoSeat, Seat } from '../pool/client-side.ts';
import type { Pool } from '../pool/pool.ts';
import type { Admission } from './admission.ts';
import { addressKey, type ClientAddresses } from './client-address.ts';
import { rejectReasons } from './close-codes.ts';
import type { Config } from './config/schema.ts';
import { forwardedRequest } from './forwarding.ts';
import {
  checkHandshake,
  isRejection,
  reject,
  type Handshake,
  type Rejection,
  type UpgradeRequest,
} from './handshake.ts';
import type { Answer } from './listener.ts';
import type { Log } from './log.ts';

/** What an accepted upgrade hands to the connection it becomes. */
export interface Seated {
  readonly seat: Seat;
  readonly addressKey: string;
}

export interface GateOptions {
  readonly config: Config;
  readonly pools: ReadonlyMap<string, Pool>;
  readonly admission: Admission;
  readonly addresses: ClientAddresses;
  readonly metrics: GatewayMetrics;
  readonly log: Log;
}

interface Route {
  readonly pool: Pool;
  readonly forwardHeaders: readonly string[];
  readonly forwardQuery: boolean;
}

/** Decides about each request to the client listener: handshake, caps, and a seat in the pool of its path. */
export class Gate {
  /** Set when the gateway is on its way out: nobody is let in any more. */
  draining = false;
  readonly #options: GateOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #allowedOrigins: ReadonlySet<string>;
  readonly #rejectIndex = indexByName(rejectReasons);

  constructor(options: GateOptions) {
    this.#options = options;
    const { config, pools } = options;
    this.#allowedOrigins = new Set(config.listen.allowedOrigins);
    this.#routes = new Map(
      config.routes.map(({ path, pool }) => [path, { ...config.pools[pool]!, pool: pools.get(pool)! }]),
    );
  }

  /** Answers the request, at once or when an upstream was found. */
  onRequest(request: UpgradeRequest, peerAddress: string, answer: Answer<Seated>): void {
    if (request.path === '/health' && request.method === 'get') {
      answer.end(200, [['Content-Type', 'application/json']], '{"status":"ok"}');
      return;
    }
    const route = this.#routes.get(request.path);
    if (route === undefined)
      return this.#reject(answer, reject('path', 404, 'there is nothing at this path'));
    const handshake = checkHandshake(request, { allowedOrigins: this.#allowedOrigins });
    if (isRejection(handshake)) return this.#reject(answer, handshake);
    if (this.draining) return this.#reject(answer, goingAway());
    const { addresses, admission } = this.#options;
    const peerTrusted = addresses.isTrusted(peerAddress);
    const key = addressKey(addresses.resolve(peerAddress, request.header('x-forwarded-for')));
    const full = admission.enter(key);
    if (full !== undefined) return this.#reject(answer, full);
    const forwarded = forwardedRequest(request, handshake, route, { peerAddress, peerTrusted });
    this.#findSeat(route, forwarded, handshake, key, answer);
  }

  /** From here on the client is counted in: each way out but the seat counts it out again. */
  #findSeat(
    { pool }: Route,
    forwarded: Parameters<Pool['acquire']>[0],
    handshake: Handshake,
    key: string,
    answer: Answer<Seated>,
  ): void {
    const { admission, config } = this.#options;
    let settled = false;
    const settle = (): boolean => {
      if (settled) return false;
      settled = true;
      clearTimeout(deadline);
      return true;
    };
    const turnAway = (rejection: Rejection): void => {
      if (!settle()) return;
      admission.leave(key);
      this.#reject(answer, rejection);
    };
    const deadline = setTimeout(() => {
      giveUp();
      turnAway(
        reject('deadline', 503, 'no upstream answered in time: try again later', [['Retry-After', '1']]),
      );
    }, config.listen.handshakeTimeoutMs);
    answer.onGone(() => {
      if (!settle()) return;
      admission.leave(key);
      giveUp();
    });
    const giveUp = pool.acquire(forwarded, {
      onSeat: (seat) => {
        if (this.draining) {
          seat.vacate();
          turnAway(goingAway());
        } else if (settle()) {
          const seated: Seated = { seat, addressKey: key };
          answer.upgrade(seated, handshake.key, seat.protocol, handshake.extensions);
        }
      },
      onRefused: (refusal) => turnAway(noSeat(refusal)),
    });
  }

  #reject(answer: Answer<Seated>, { reason, status, body, headers }: Rejection): void {
    this.#options.metrics.rejected(this.#rejectIndex[reason]);
    this.#options.log.debug({ reason, status }, 'client rejected');
    answer.end(status, headers, body);
  }
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
