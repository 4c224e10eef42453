import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import { registry } from '../codec/registry.ts';
import { Codecs } from './codecs.ts';
import { completeConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';

const fixtures = join(import.meta.dirname, '../codec/fixtures');
const newest = { id: 1001, file: join(fixtures, 'json-rpc.dict') };
const old = { id: 1002, file: join(fixtures, 'events.dict') };
const both = { zstd: { dictionary: [newest.file, old.file] } };

function create(codec: ConfigInput['codec'] = {}): Codecs {
  const { codec: config } = completeConfig({ codec });
  return new Codecs({ config, log: pino({ level: 'silent' }), onError: () => undefined });
}

/** Id of the dictionary in a zstd frame behind a flag byte; 0 for none (RFC 8878 section 3.1.1.1). */
function dictionaryOf(wire: Uint8Array): number {
  const descriptor = wire[5]!;
  const bytes = [0, 1, 2, 4][descriptor & 3]!;
  const start = (descriptor & 0x20) === 0 ? 7 : 6;
  return bytes === 0 ? 0 : Buffer.from(wire).readUIntLE(start, bytes);
}

describe('the codecs of a gateway', () => {
  it('are shared by all who ask for the same', () => {
    const codecs = create(both);
    expect(codecs.forClient('gzip')).toBe(codecs.forClient('gzip', 7));
    expect(codecs.forClient('zstd')).toBe(codecs.forClient('zstd', newest.id));
    expect(codecs.forClient('zstd')).not.toBe(codecs.forClient('zstd', old.id));
  });

  it.each([
    ['the newest', undefined, newest.id],
    ['its own', old.id, old.id],
    ['the newest, its own being unknown', 7, newest.id],
    ['none, as it says', 0, 0],
  ])('pack for a client with %s', (_, asked, used) => {
    const text = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'x'.repeat(2_000) }));
    expect(dictionaryOf(create(both).forClient('zstd', asked).encode(text, false))).toBe(used);
  });

  it('unpack with every dictionary, for a client and for an upstream', () => {
    const codecs = create(both);
    const text = Buffer.from('{"jsonrpc":"2.0"}'.repeat(100));
    const packed = [newest.id, old.id].map((id) =>
      Buffer.from(codecs.forClient('zstd', id).encode(text, false)),
    );
    for (const wire of packed)
      expect(Buffer.from(codecs.forClient('zstd').decode(wire)).equals(text)).toBe(true);
    const decoded: string[] = [];
    const owner = {
      onEncoded: () => undefined,
      onDecoded: (bytes: Uint8Array) => decoded.push(Buffer.from(bytes).toString()),
      onCodecFault: (fault: string) => decoded.push(fault),
    };
    const transcoder = codecs.forUpstream('zstd', 10_000).open(owner, '');
    for (const wire of packed) transcoder.decode(wire, true);
    expect(decoded).toEqual([text.toString(), text.toString()]);
  });

  it('know each dictionary by its id', () => {
    const codecs = create(both);
    expect([newest.id, old.id, 0, 7].map((id) => codecs.dictionary(id)?.id)).toEqual([
      1001,
      1002,
      undefined,
      undefined,
    ]);
  });

  it('offer what the config lists, but no zstd where Node has none', () => {
    expect([...create({ offer: ['gzip', 'identity'] }).offered]).toEqual(['gzip', 'identity']);
    const missing = Object.assign(new Error('zstd needs a newer Node'), { code: 'WSLUICE_ZSTD' });
    const createZstd = vi.spyOn(registry, 'zstd').mockImplementation(() => {
      throw missing;
    });
    expect([...create().offered]).toEqual(['brotli', 'gzip']);
    createZstd.mockRestore();
  });

  it('count bytes by codec, those that pack for different dictionaries together', () => {
    const codecs = create({ ...both, minBytes: 0 });
    const text = Buffer.alloc(1_000, 'a');
    const packed = [newest.id, old.id].map((id) => codecs.forClient('zstd', id).encode(text, false).length);
    expect(codecs.bytes.get('zstd')).toMatchObject({
      encodedPlain: 2_000,
      encodedPacked: packed[0]! + packed[1]!,
    });
    expect(codecs.bytes.get('gzip')?.encodedPlain).toBe(0);
  });

  it('pack at the configured level', () => {
    const text = Buffer.from(Array.from({ length: 500 }, (_, i) => `${i * i} is a square`).join());
    const [fast, small] = [1, 19].map((level) => {
      const wire = create({ zstd: { level } }).forClient('zstd').encode(text, false);
      expect(zstdDecompressSync(wire.subarray(1)).equals(text)).toBe(true);
      return wire.length;
    });
    expect(small).toBeLessThan(fast!);
  });
});
