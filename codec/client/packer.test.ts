import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import zlib from 'node:zlib';
import type { BrotliWasmType } from 'brotli-wasm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBrotli, createWasmBrotli } from './brotli.ts';
import { DictionaryShelf } from './dictionary-shelf.ts';
import { createGzip } from './gzip.ts';
import { chooseCodec } from './load-packer.ts';
import type { CodecName, Packer } from './packer.ts';
import { packWith } from './wire-server.fixture.ts';
import { createZstd } from './zstd.ts';

const brotliWasm = createRequire(import.meta.url)('brotli-wasm') as BrotliWasmType;
const dictionary = readFileSync(new URL('../../test/fixtures/codec-client/json-rpc.dict', import.meta.url));
const dictionaries = new DictionaryShelf(new URL('ws://localhost/ws'), [dictionary]);
const settings = { level: undefined, dictionaries };
const maxBytes = 100_000;

const packers: readonly (readonly [string, CodecName, Packer])[] = [
  ['zstd', 'zstd', createZstd(settings)],
  ['brotli by WebAssembly', 'brotli', createWasmBrotli(brotliWasm, 4)],
  ['brotli of Node', 'brotli', await createBrotli(settings)],
  ['gzip', 'gzip', createGzip()],
];

describe.each(packers)('%s', (_title, codec, packer) => {
  const text = Buffer.from(
    JSON.stringify({ jsonrpc: '2.0', params: Array.from({ length: 900 }, (_, n) => n) }),
  );
  const packed = packWith(codec, text);
  const unpack = async (bytes: Uint8Array, max = maxBytes) => packer.unpack(bytes, max);

  it('gets back whatever it packed, and so does node:zlib', async () => {
    const unpackers = {
      zstd: zlib.zstdDecompressSync,
      brotli: zlib.brotliDecompressSync,
      gzip: zlib.gunzipSync,
    };
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async (plain) => {
        const packedByClient = await packer.pack(plain);
        expect(Buffer.from(await unpack(packedByClient))).toEqual(Buffer.from(plain));
        expect(unpackers[codec](packedByClient)).toEqual(Buffer.from(plain));
      }),
      { numRuns: 50 },
    );
  });

  it('unpacks what node:zlib packed, up to exactly the limit', async () => {
    expect(Buffer.from(await unpack(packed, text.length))).toEqual(text);
    await expect(unpack(packed, text.length - 1)).rejects.toMatchObject({ fault: 'too-big' });
  });

  it('stops a bomb at the limit', async () => {
    const bomb = packWith(codec, Buffer.alloc(5_000_000));
    await expect(unpack(bomb)).rejects.toMatchObject({ fault: 'too-big' });
  });

  it.each([
    ['garbage', Buffer.from('this is no compressed message at all')],
    ['nothing', Buffer.alloc(0)],
    ['a message cut short', packed.subarray(0, -3)],
    ['a message and more', Buffer.concat([packed, Buffer.from('xx')])],
    ['a damaged message', Buffer.from(packed.map((byte, at) => (at > 12 && at < 60 ? byte ^ 0x55 : byte)))],
  ])('refuses %s', async (_what, bytes) => {
    await expect(unpack(bytes)).rejects.toMatchObject({ code: 'WSLUICE_CODEC', fault: 'undecodable' });
  });

  it('still works after all that', async () => {
    expect(Buffer.from(await unpack(packed))).toEqual(text);
  });
});

describe('zstd', () => {
  const [, , zstd] = packers[0]!;

  it('refuses a frame that claims more than the limit before it decodes it', async () => {
    const frame = zlib.zstdCompressSync(Buffer.alloc(300));
    frame.writeUInt16LE(0xffff, 5);
    await expect(zstd.unpack(frame, 1_000)).rejects.toMatchObject({ fault: 'too-big' });
  });

  it('keeps to the limit where the header does not tell the size', async () => {
    const plain = Buffer.alloc(3_000, 'abc');
    const frame = await compressInParts(plain);
    expect(Buffer.from(await zstd.unpack(frame, 3_000))).toEqual(plain);
    await expect(zstd.unpack(frame, 2_999)).rejects.toMatchObject({ fault: 'too-big' });
  });

  it('refuses a frame that holds more than it claims, and one that is followed by another', async () => {
    const frame = zlib.zstdCompressSync('hello');
    const liar = Buffer.from(frame).fill(4, 5, 6);
    for (const bad of [liar, Buffer.concat([frame, frame])])
      await expect(zstd.unpack(bad, 1_000)).rejects.toMatchObject({ code: 'WSLUICE_CODEC' });
  });

  it('packs with a dictionary once the server has used it', async () => {
    const client = createZstd(settings);
    const message = Buffer.from('{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}');
    const without = (await client.pack(message)).length;
    await client.unpack(packWith('zstd', message, dictionary), maxBytes);
    const packed = await client.pack(message);
    expect(packed.length).toBeLessThan(without / 2);
    expect(zlib.zstdDecompressSync(packed, { dictionary })).toEqual(message);
  });
});

describe('chooseCodec', () => {
  it('takes the first that the platform can run', () => {
    expect(chooseCodec(['brotli', 'gzip'])).toBe('brotli');
    const { WebAssembly } = globalThis as { WebAssembly?: unknown };
    try {
      delete (globalThis as { WebAssembly?: unknown }).WebAssembly;
      expect(chooseCodec(['brotli', 'zstd', 'gzip'])).toBe('gzip');
      expect(chooseCodec('zstd')).toBeUndefined();
    } finally {
      Object.assign(globalThis, { WebAssembly });
    }
  });

  it('throws for a codec it does not know', () => {
    const unknown: string = 'lzma';
    expect(() => chooseCodec(['gzip', unknown as CodecName])).toThrow(TypeError);
    expect(() => chooseCodec('toString' as CodecName)).toThrow("unknown codec 'toString'");
  });
});

/** A frame whose header does not tell the size of its content. */
function compressInParts(plain: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const stream = zlib.createZstdCompress();
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => resolve(Buffer.concat(chunks)));
    stream.write(plain.subarray(0, 10));
    stream.flush(() => stream.end(plain.subarray(10)));
  });
}
