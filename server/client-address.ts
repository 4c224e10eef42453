import { BlockList, isIP } from 'node:net';

/** Tells which proxies are believed, and so what a client's own address is. */
export class ClientAddresses {
  readonly #trusted = new BlockList();

  /** `trustedProxies` are addresses or CIDR blocks, checked before. */
  constructor(trustedProxies: readonly string[]) {
    for (const entry of trustedProxies) {
      const [address = '', prefix] = entry.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#trusted.addAddress(address, family);
      else this.#trusted.addSubnet(address, Number(prefix), family);
    }
  }

  isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  /**
   * The address the peer speaks for: its own, unless it is a trusted proxy. Then X-Forwarded-For is read from the right,
   * past further trusted proxies, to the first address that is none; what stands left of it could be forged.
   */
  resolve(peer: string, forwardedFor: string): string {
    let address = plainAddress(peer);
    const hops = forwardedFor === '' ? [] : forwardedFor.split(',');
    while (hops.length > 0 && this.isTrusted(address)) {
      const hop = plainAddress(hops.pop()!.trim());
      if (isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  }
}

/** The key that caps and limits count by: the address, or the /64 of an IPv6 one, for a host has all of it. */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  return `${expandIpv6(address).slice(0, 4).join(':')}::/64`;
}

/** Without brackets, port, zone, or the ::ffff: of an IPv4 address in IPv6 clothes. */
export function plainAddress(text: string): string {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1];
  const bare = (bracketed ?? (isIP(text) === 0 ? text.replace(/:\d+$/, '') : text)).replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const groups = expandIpv6(bare);
  if (groups.slice(0, 5).some((group) => group !== '0') || groups[5] !== 'ffff') return bare;
  const [high, low] = [parseInt(groups[6]!, 16), parseInt(groups[7]!, 16)];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight groups of a valid IPv6 address, without leading zeros. */
function expandIpv6(address: string): string[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = hex.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...new Array<string>(zeros).fill('0'), ...right].map((group) =>
    parseInt(group, 16).toString(16),
  );
}
