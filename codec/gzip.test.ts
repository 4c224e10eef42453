import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { describeCodec, describeCompression, expectFault } from './codec.contract.ts';
import { createGzip } from './gzip.ts';
import { jsonMessage, seeded } from './messages.fixture.ts';
import { openOneShot } from './reused-stream.ts';

const settings = { gzip: { level: 6 } };

describeCodec('gzip', () => createGzip(settings));
describeCodec('gzip by public calls', () => createGzip(settings, openOneShot));
describeCompression('gzip', () => createGzip(settings), { pack: zlib.gzipSync, unpack: zlib.gunzipSync });

describe('gzip', () => {
  const message = jsonMessage(2000, seeded(1));
  const packed = zlib.gzipSync(message);

  it.each([0, 1, 6, 9])('packs at level %d, again and again', (level) => {
    const codec = createGzip({ gzip: { level } });
    for (let round = 0; round < 3; round++)
      expect(codec.encode(message)).toEqual(zlib.gzipSync(message, { level }));
  });

  it('reads members with a name, a comment, extra fields and a checksum of the header', () => {
    const codec = createGzip(settings);
    const extra = Buffer.from([4, 0, 65, 66, 0, 0]);
    const fields: [flags: number, bytes: Buffer][] = [
      [0b1000, Buffer.from('name.json\0')],
      [0b1_0000, Buffer.from('a comment\0')],
      [0b100, extra],
      [0b10, Buffer.alloc(0)],
      [0b1_1110, Buffer.concat([extra, Buffer.from('name\0comment\0')])],
    ];
    for (const [flags, bytes] of fields) {
      const member = withHeader(flags, bytes);
      expect(message.equals(zlib.gunzipSync(member))).toBe(true);
      expect(message.equals(codec.decode(member, message.length))).toBe(true);
    }
  });

  it('refuses a wrong checksum of the header', async () => {
    const member = withHeader(0b10, Buffer.alloc(0));
    member[10]! ^= 1;
    await expectFault('undecodable', createGzip(settings), member, 5000);
  });

  /** The message again, with more in its header; where the flags say so also with its checksum. */
  function withHeader(flags: number, bytes: Buffer): Buffer {
    const header = Buffer.concat([packed.subarray(0, 10), bytes]);
    header[3] = flags;
    const crc = Buffer.alloc((flags & 0b10) === 0 ? 0 : 2);
    if (crc.length > 0) crc.writeUInt16LE(zlib.crc32(header) & 0xffff);
    return Buffer.concat([header, crc, packed.subarray(10)]);
  }

  it('refuses headers that are not of gzip, and fields without an end', async () => {
    const changes: [at: number, value: number][] = [
      [0, 0x1e],
      [1, 0x8c],
      [2, 7],
      [3, 0b10_0000],
      [3, 0b100],
    ];
    for (const [at, value] of changes)
      await expectFault('undecodable', createGzip(settings), changed(at, value), 5000);
    const endless = Buffer.concat([Buffer.from('1f8b0808', 'hex'), Buffer.alloc(100, 'x')]);
    await expectFault('undecodable', createGzip(settings), endless, 2000);
  });

  it('refuses a wrong checksum', async () => {
    const at = packed.length - 8;
    await expectFault('undecodable', createGzip(settings), changed(at, packed[at]! ^ 1), 5000);
  });

  it('refuses a wrong size, be it too small, too large or beyond what is allowed', async () => {
    for (const size of [0, 1, message.length - 1, message.length + 1, 60_000, 1_000_000, 2 ** 32 - 1]) {
      const lying = Buffer.from(packed);
      lying.writeUInt32LE(size, packed.length - 4);
      for (const maxBytes of [message.length, 10_000, 2_000_000])
        await expectFault('undecodable', createGzip(settings), lying, maxBytes);
    }
  });

  function changed(at: number, value: number): Buffer {
    return Buffer.from(packed.map((byte, i) => (i === at ? value : byte)));
  }
});
