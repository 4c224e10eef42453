import type { StrategyName } from './strategies.ts';

/** Whose requests share one allowance. */
export const scopes = ['global', 'connection', 'ip', 'identity', 'route', 'method'] as const;
export type Scope = (typeof scopes)[number];

/** What a limit decided about a request that it applies to. */
export const decisions = ['allowed', 'rejected', 'dropped', 'closed', 'delayed', 'dry_run'] as const;
export type Decision = (typeof decisions)[number];

/** One limit as it is configured; docs/configuration.md says what each key means. */
export interface LimitConfig {
  readonly scope: Scope;
  readonly strategy: StrategyName;
  /** Units per second: messages, bytes or connections. */
  readonly requestsPerSecond: number;
  /** null = those of one second. */
  readonly burst: number | null;
  readonly windowMs: number;
  /** A method name, or the start of one before a `*`; or a route path. null = each route by itself. */
  readonly match: string | null;
  readonly unit: 'messages' | 'bytes' | 'connections';
  /** Who shares the allowance of a route or method. */
  readonly per: 'global' | 'connection' | 'ip' | 'identity';
  readonly onExceed: 'reject' | 'drop' | 'close' | 'delay';
  readonly maxDelayMs: number;
  readonly blockMs: number;
  readonly dryRun: boolean;
}

/** What a client is known by. */
export interface ClientKeys {
  /** Its address, or the /64 of an IPv6 one. */
  readonly ip: string;
  readonly identity: string;
  /** The path of its route. */
  readonly route: string;
}

/** Who has an allowance of its own under the limit. */
export function keyedBy({ scope, per }: LimitConfig): LimitConfig['per'] {
  return scope === 'route' || scope === 'method' ? per : scope;
}

/** True when the limit is about clients of this route; a limit on methods is about those of any. */
export function coversRoute({ scope, match }: LimitConfig, route: string): boolean {
  return scope !== 'route' || match === null || match === route;
}

/** What the limit calls this client; the same for all that share an allowance. A connection is called by its address. */
export function keyUnder(config: LimitConfig, client: ClientKeys): string {
  const by = keyedBy(config);
  const whose = by === 'identity' ? client.identity : by === 'global' ? '' : client.ip;
  const eachRoute = config.scope === 'route' && config.match === null;
  return eachRoute ? `${client.route} ${whose}`.trimEnd() : whose;
}

/** The same for two configurations of one limit, which may differ in how much they allow and what happens above. */
export function limitName({ scope, match, per, unit, strategy, windowMs }: LimitConfig): string {
  const parts = [
    // In quotes, for a match may read like the rest of a name.
    match === null ? scope : `${scope} ${JSON.stringify(match)}`,
    ...(per === 'global' ? [] : [`per ${per}`]),
    unit,
    strategy === 'sliding-window' ? `${strategy} ${windowMs} ms` : strategy,
  ];
  return parts.join(', ');
}
