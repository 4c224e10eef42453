import { isIP } from 'node:net';

const originForm = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@*\\]+$/i;
const hostForm = /^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*\.?$/i;

/** What keeps `text` from being an exact origin, as a predicate; undefined when it is one. */
export function originProblem(text: string): string | undefined {
  if (text === 'null') return 'is the origin of sandboxed pages and files, which anybody can have';
  if (text.includes('*')) return 'has a wildcard; list each origin';
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]+\/./i.test(text) || text.endsWith('/'))
    return 'has a path; an origin has none';
  if (!originForm.test(text) || !URL.canParse(text)) return 'is not an origin: scheme://host[:port]';
  return undefined;
}

/** An origin as browsers send it: lower case, no default port. */
export function normalOrigin(text: string): string {
  if (originProblem(text) !== undefined) return text;
  const { protocol, host } = new URL(text);
  return `${protocol}//${host}`.toLowerCase();
}

/** What keeps `text` from being an address or a CIDR range, as a predicate; undefined when it is one. */
export function rangeProblem(text: string): string | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%')) return 'is not an IP address or CIDR range';
  if (prefix === undefined) return undefined;
  const maxPrefix = family === 4 ? 32 : 128;
  const fits = /^\d{1,3}$/.test(prefix) && Number(prefix) <= maxPrefix;
  return fits ? undefined : `has no prefix length from 0 to ${maxPrefix}`;
}

/** What keeps `text` from being something to listen on, as a predicate; undefined when it is. */
export function hostProblem(text: string): string | undefined {
  if (isIP(text) !== 0) return undefined;
  const looksNumeric = /^[\d.]+$/.test(text);
  return !looksNumeric && text.length <= 253 && hostForm.test(text)
    ? undefined
    : 'is not an IP address or host name';
}

/** Whether only this machine can connect to `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Whether a listener on `host` takes the connections of every address. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** The host of a URL that leads to a listener on this address; of one that takes all addresses, this machine. */
export function reachable(host: string): string {
  if (isWildcard(host)) return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
}
