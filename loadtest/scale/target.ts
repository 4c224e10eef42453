import { lookup } from 'node:dns/promises';

/** Where clients connect to. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly hostHeader?: string | undefined;
}

/** Returns where an address leads, with its name looked up once for all clients; throws when the name is unknown. */
export async function targetOf(url: URL): Promise<Target> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  try {
    const { address } = await lookup(name);
    const port = url.port === '' ? 80 : Number(url.port);
    return { host: address, port, path: url.pathname + url.search, hostHeader: url.host };
  } catch {
    throw new Error(`${url.href}: the name ${name} is unknown; check the address`);
  }
}

/** True for IPv4 loopback, which has many addresses to connect from. */
export function hasManyAddresses({ host }: Target): boolean {
  return host.startsWith('127.');
}

/** True when the server is on this machine, so that its process can be looked at. */
export function isLocal({ host }: Target): boolean {
  return host.startsWith('127.') || host === '::1';
}
