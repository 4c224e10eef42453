/** One server or sentinel. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is, and who we are there. */
export interface RedisTarget {
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** The server, the sentinels, or some nodes of the cluster; at least one. */
  readonly nodes: readonly RedisAddress[];
  readonly tls: boolean;
  /** What the sentinels call the master; undefined where there are none. */
  readonly master: string | undefined;
  readonly database: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const form = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/]*)@)?([^@/?#]*)(?:\/([^?#]*))?([?#].*)?$/i;
const defaultPorts = { single: 6379, sentinel: 26379, cluster: 6379 } as const;

/**
 * Reads redis://, redis+sentinel://host:port,host:port/<master>[/<db>] and redis+cluster://host:port,host:port, each with
 * `rediss` for TLS and with user:password@ before the first host. Returns what is wrong, as a predicate, when it cannot; that
 * text repeats nothing of the URL.
 */
export function parseRedisUrl(text: string): RedisTarget | string {
  if (/\s/.test(text)) return 'has white space in it';
  const parts = form.exec(text);
  if (parts === null)
    return 'is not a redis://, redis+sentinel:// or redis+cluster:// URL (with rediss for TLS)';
  if (parts[6] !== undefined) return 'has a query or a fragment, which mean nothing here';
  const kind = (parts[2]?.toLowerCase() ?? 'single') as RedisTarget['kind'];
  const credentials = parseCredentials(parts[3] ?? '');
  if (typeof credentials === 'string') return credentials;
  const nodes = parseNodes(kind, parts[4]!);
  if (typeof nodes === 'string') return nodes;
  const place = parsePath(kind, parts[5] ?? '');
  if (typeof place === 'string') return place;
  return { kind, nodes, tls: parts[1]!.toLowerCase() === 'rediss', ...place, ...credentials };
}

/** What keeps `text` from being the URL of a Redis, as a predicate; undefined when it is one. */
export function redisUrlProblem(text: string): string | undefined {
  const target = parseRedisUrl(text);
  return typeof target === 'string' ? target : undefined;
}

function parseCredentials(text: string): Pick<RedisTarget, 'username' | 'password'> | string {
  const colon = text.indexOf(':');
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = decoded(colon < 0 ? '' : text.slice(colon + 1));
  if (username === undefined || password === undefined)
    return 'has percent-encoding in its credentials that does not decode';
  if (username !== '' && password === '') return 'has a user without a password';
  return { username: username || undefined, password: password || undefined };
}

function parseNodes(kind: RedisTarget['kind'], text: string): RedisAddress[] | string {
  const hosts = text.split(',');
  if (kind === 'single' && hosts.length > 1)
    return 'names several hosts, which takes redis+sentinel:// or redis+cluster://';
  if (kind !== 'single' && hosts.includes('')) return 'names no host, or has a comma too many';
  const nodes: RedisAddress[] = [];
  for (const each of hosts) {
    const parts = /^(\[[0-9a-f:.]+\]|[^:[\]]*)(?::(\d*))?$/i.exec(each);
    if (parts === null) return 'has a host that is none';
    const port = parts[2] ? Number(parts[2]) : defaultPorts[kind];
    if (port < 1 || port > 65_535) return 'has a port that is not from 1 to 65535';
    const host = parts[1]!.replace(/^\[|\]$/g, '');
    if (host === '' && each !== '') return 'has a port without a host';
    nodes.push({ host: host || 'localhost', port });
  }
  return nodes;
}

function parsePath(
  kind: RedisTarget['kind'],
  text: string,
): Pick<RedisTarget, 'master' | 'database'> | string {
  const parts = text === '' ? [] : text.split('/');
  const master = kind === 'sentinel' ? decoded(parts.shift() ?? '') : undefined;
  if (kind === 'sentinel' && !master) return 'names no master';
  const database = parts.shift() || '0';
  if (parts.length > 0) return 'has more behind the database than it may';
  if (!/^\d{1,5}$/.test(database)) return 'has a database that is no number';
  if (kind === 'cluster' && Number(database) !== 0)
    return 'names a database, of which a cluster has none but 0';
  return { master, database: Number(database) };
}

/** Undefined when its percent-encoding does not decode. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
