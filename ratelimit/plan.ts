import { coversRoute } from './limit-config.ts';
import { settingsOf, type Limit } from './limit.ts';
import type { Limiter } from './limiter.ts';

/** A limit that allows less than this at once is asked for each request by itself. */
const leastForBlocks = 64;

/** The limits that the requests on one route are under, in the order in which they are asked. */
export class Plan {
  /** Those asked for every request first, their limiters and whether they count bytes: side by side for the hot path. */
  readonly plain: readonly Limit[];
  readonly limiters: readonly Limiter[];
  readonly countsBytes: readonly boolean[];
  /** Those about some methods, those that delay, and those that only watch. */
  readonly others: readonly Limit[];
  readonly limits: readonly Limit[];
  /** Places in `limits` of those that control frames count against, and of those that only watch. */
  readonly forControlFrames: readonly number[];
  readonly watching: readonly number[];
  /** Some are about methods. */
  readonly looksAtMethods: boolean;
  /** Several requests of a turn may be paid for at once. */
  readonly paysInBlocks: boolean;
  /** Requests that all plain limits allowed, not yet added to their counts. */
  readonly #allowed = new Float64Array(1);

  constructor(limits: readonly Limit[], route: string) {
    const applying = limits.filter(
      ({ config }) => config.unit !== 'connections' && coversRoute(config, route),
    );
    this.plain = applying.filter((limit) => limit.isPlain);
    this.others = applying.filter((limit) => !limit.isPlain);
    this.limits = [...this.plain, ...this.others];
    this.looksAtMethods = this.others.some(({ pattern }) => pattern !== undefined);
    this.limiters = this.plain.map((limit) => limit.limiter);
    this.countsBytes = this.plain.map(({ config }) => config.unit === 'bytes');
    this.paysInBlocks = this.plain.length > 0 && this.others.length === 0 && this.plain.every(paysInBlocks);
    const places = [...this.limits.keys()];
    this.forControlFrames = places.filter((place) => {
      const { scope, unit } = this.limits[place]!.config;
      return scope === 'connection' && unit === 'messages';
    });
    this.watching = places.filter((place) => this.limits[place]!.config.dryRun);
  }

  /** Counts a request that all plain limits allowed; −1 takes one back. */
  countAllowed(requests = 1): void {
    this.#allowed[0]! += requests;
  }

  /** Adds what was counted here to the limits' own counts. */
  settleCounts(): void {
    for (const limit of this.plain) limit.count('allowed', this.#allowed[0]);
    this.#allowed[0] = 0;
  }
}

/** The limit is one of this process, counts messages, and has room for some of them. */
function paysInBlocks({ limiter, config }: Limit): boolean {
  if (limiter.leases === true || config.unit !== 'messages') return false;
  const { ratePerSecond, burst, windowMs } = settingsOf(config);
  const atOnce = config.strategy === 'sliding-window' ? (ratePerSecond * windowMs) / 1_000 : burst;
  return atOnce >= leastForBlocks;
}
