import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressKey, ClientAddresses } from './client-address.ts';

const proxy = '127.0.0.1';
const addresses = new ClientAddresses(['127.0.0.1/32', '10.0.0.0/8', '::1', '2001:db8:aaaa::/48']);

const ipv4 = fc.ipV4();
const stranger = ipv4.filter((address) => !address.startsWith('10.') && address !== proxy);
/** The eight groups of an IPv6 address outside ::ffff:0:0/96; zeros are frequent, so that `::` comes up. */
const groups = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), { minLength: 8, maxLength: 8 })
  .filter((all) => all[5] !== 0xffff || all.slice(0, 5).some((group) => group !== 0));

/** The ways in which one IPv6 address is written (RFC 4291 section 2.2). */
function spellings(all: readonly number[]): string[] {
  const hex = all.map((group) => group.toString(16));
  const full = hex.map((group) => group.padStart(4, '0')).join(':');
  const [high, low] = [all[6]!, all[7]!];
  const dotted = `${hex.slice(0, 6).join(':')}:${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  const shortest = new URL(`http://[${full}]/`).hostname.slice(1, -1);
  return [full, full.toUpperCase(), hex.join(':'), dotted, shortest];
}

describe('the address of a client', () => {
  it('is that of the peer when the peer is no trusted proxy, whatever it claims', () => {
    fc.assert(
      fc.property(stranger, fc.string(), (peer, claim) => {
        expect(addresses.resolve(peer, claim)).toBe(peer);
      }),
    );
  });

  it('is what the trusted proxy wrote last, whatever stands left of it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), ipv4, fc.ipV6()), stranger, (forged, real) => {
        expect(addresses.resolve(proxy, `${forged}, ${real}`)).toBe(real);
      }),
    );
  });

  it('is the first one from the right that is no trusted proxy', () => {
    const hop = fc.oneof(stranger, fc.constant('10.1.2.3'), fc.constant('2001:db8:aaaa::7'));
    fc.assert(
      fc.property(fc.array(hop), (hops) => {
        const fromTheRight = [...hops, proxy].reverse();
        const first = fromTheRight.find((address) => !addresses.isTrusted(address));
        expect(addresses.resolve(proxy, hops.join(', '))).toBe(first ?? fromTheRight.at(-1));
      }),
    );
  });

  it('is the same one for 1,000 forged values', () => {
    const keys = new Set(
      Array.from({ length: 1_000 }, (_, i) => {
        const forged = `198.51.${i >> 8}.${i & 255}`;
        return addressKey(addresses.resolve(proxy, `${forged}, 203.0.113.9`));
      }),
    );
    expect([...keys]).toEqual(['203.0.113.9']);
  });

  it.each([
    ['203.0.113.9:4711', '203.0.113.9'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['[2001:db8::1]:4711', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['[fe80::1%eth0]:4711', 'fe80::1'],
    ['::ffff:203.0.113.9', '203.0.113.9'],
    ['::FFFF:203.0.113.9', '203.0.113.9'],
    ['[::ffff:203.0.113.9]:4711', '203.0.113.9'],
    ['::ffff:cb00:7109', '203.0.113.9'],
    ['0000:0000:0000:0000:0000:ffff:cb00:7109', '203.0.113.9'],
    ['\t203.0.113.9 ', '203.0.113.9'],
  ])('is read from the hop %j as %s', (hop, address) => {
    expect(addresses.resolve(proxy, hop)).toBe(address);
  });

  it.each([
    '',
    ' ',
    ',',
    'unknown',
    '_hidden',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '0x7f000001',
    '2130706433',
    '[203.0.113.9',
    '203.0.113.9]',
    '"203.0.113.9"',
    '203.0.113.9:',
    '203.0.113.9:80:80',
    '203.0.113.9/32',
    '1::2::3',
    ':::',
    '[]',
    '12345::',
    '203.0.113.9\u0000',
    '٢٠٣.0.113.9',
  ])('is that of the proxy when what it wrote last is %j', (garbage) => {
    expect(addresses.resolve(proxy, garbage)).toBe(proxy);
    expect(addresses.resolve(proxy, `203.0.113.9,${garbage}`)).toBe(proxy);
  });

  it('is that of the peer when a trusted proxy wrote nothing', () => {
    expect(addresses.resolve(proxy, '')).toBe(proxy);
  });

  it('finds trusted proxies in IPv6 clothes, as the engine reports them', () => {
    const peer = '0000:0000:0000:0000:0000:ffff:0a01:0203';
    expect(addresses.isTrusted(peer)).toBe(true);
    expect(addresses.resolve(peer, '203.0.113.9')).toBe('203.0.113.9');
    expect(addresses.resolve('0000:0000:0000:0000:0000:0000:0000:0001', '203.0.113.9')).toBe('203.0.113.9');
  });

  it('trusts nobody when the list is empty', () => {
    const none = new ClientAddresses([]);
    expect(none.resolve(proxy, '203.0.113.9')).toBe(proxy);
    expect(none.isTrusted(proxy)).toBe(false);
  });

  it('trusts exactly the addresses of a block', () => {
    const block = new ClientAddresses(['192.0.2.64/26', '2001:db8::/33', '198.51.100.7']);
    const inside = ['192.0.2.64', '192.0.2.127', '2001:db8:7fff::1', '198.51.100.7'];
    const outside = ['192.0.2.63', '192.0.2.128', '2001:db8:8000::', '198.51.100.8', 'no address', ''];
    expect(inside.map((address) => block.isTrusted(address))).toEqual(inside.map(() => true));
    expect(outside.map((address) => block.isTrusted(address))).toEqual(outside.map(() => false));
  });

  it('is always an address, and never throws, whatever a header holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        expect(addressKey(addresses.resolve(proxy, header))).toMatch(/^[0-9a-f.:/]+$/);
      }),
    );
  });
});

describe('the key that clients are counted by', () => {
  it('is the address itself for IPv4', () => {
    fc.assert(
      fc.property(ipv4, (address) => {
        expect(addressKey(address)).toBe(address);
      }),
    );
  });

  it('is one for all spellings of all addresses of an IPv6 /64', () => {
    fc.assert(
      fc.property(groups, groups, (one, other) => {
        const neighbour = [...one.slice(0, 4), ...other.slice(4)];
        const keys = new Set([...spellings(one), ...spellings(neighbour)].map(addressKey));
        expect(keys.size).toBe(1);
      }),
    );
  });

  it('differs between two IPv6 /64', () => {
    fc.assert(
      fc.property(groups, fc.nat(3), fc.integer({ min: 1, max: 0xffff }), (one, index, flip) => {
        const other = one.with(index, one[index]! ^ flip);
        expect(addressKey(spellings(one)[0]!)).not.toBe(addressKey(spellings(other)[0]!));
      }),
    );
  });

  it('does not depend on the zone', () => {
    expect(addressKey('fe80::1%eth0')).toBe(addressKey('fe80::2'));
  });
});
