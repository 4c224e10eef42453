import { limitName, type LimitConfig } from './limit-config.ts';

/** A limit that is in force. */
export interface NamedLimit {
  /** Tells it from all others: of several that are one but for their figures, the second is #2. */
  readonly name: string;
  readonly config: LimitConfig;
  /** It follows from another one; nobody has configured it. */
  readonly isImplied: boolean;
}

/** The limits in force with these: those, and what follows from them. */
export function allLimits(configs: readonly LimitConfig[]): NamedLimit[] {
  const doors = impliedDoors(configs);
  const seen = new Map<string, number>();
  return [...configs, ...doors].map((config, index) => {
    const name = limitName(config);
    const ordinal = (seen.get(name) ?? 0) + 1;
    seen.set(name, ordinal);
    return { name: ordinal === 1 ? name : `${name} #${ordinal}`, config, isImplied: index >= configs.length };
  });
}

/** An opening handshake is a request too: an address may connect as often as it may send, unless a limit of its own says how often. */
function impliedDoors(configs: readonly LimitConfig[]): LimitConfig[] {
  if (configs.some(({ scope, unit }) => scope === 'ip' && unit === 'connections')) return [];
  return configs
    .filter(({ scope, unit }) => scope === 'ip' && unit === 'messages')
    .map((config) => ({ ...config, unit: 'connections', onExceed: 'reject', blockMs: 0 }));
}
