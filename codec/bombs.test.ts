import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { streamed } from './streamed.fixture.ts';

const maxBytes = 1_048_576;
const zeros = Buffer.alloc(10_000_000);
const parts = [Buffer.from('x'), zeros];
const lying = zlib.gzipSync(zeros);
lying.writeUInt32LE(1000, lying.length - 4);
const text = Buffer.alloc(10_000_000, 'no block of this is one byte, repeated. ');
const wide = { params: { [zlib.constants.BROTLI_PARAM_LGWIN]: 24 } };

const honest: [codec: string, bombs: Buffer[]][] = [
  ['gzip', [zlib.gzipSync(zeros)]],
  ['brotli', [zlib.brotliCompressSync(zeros)]],
  ['zstd', [zlib.zstdCompressSync(zeros)]],
];
const sly: [codec: string, bombs: Buffer[]][] = [
  ['gzip', [lying]],
  ['brotli', [await streamed(zlib.createBrotliCompress(wide), parts)]],
  [
    'zstd',
    [await streamed(zlib.createZstdCompress(), parts), await streamed(zlib.createZstdCompress(), [text])],
  ],
];

it.each(honest)(
  '%s: bombs take less than twice of what is allowed, in either thread',
  async (codec, bombs) => {
    for (const decoder of ['decode', 'decodeInPool']) {
      const { grownKb, faults } = await explode(codec, decoder, bombs);
      expect(faults).toEqual(['too-big']);
      expect(grownKb).toBeLessThan((2 * maxBytes) / 1024);
    }
  },
);

it.each(sly)(
  '%s: what bombs that hide their size take is a matter of what is allowed',
  async (codec, bombs) => {
    const { grownKb, faults } = await explode(codec, 'decode', bombs);
    expect(faults).toEqual([codec === 'gzip' ? 'undecodable' : 'too-big']);
    // Output and window, and some slack of the allocator; this window of 16 MB would not fit in.
    expect(grownKb).toBeLessThan((8 * maxBytes) / 1024);
  },
);

// What the thread pool leaves behind is freed by the garbage collector, which waits for some 64 MB.
it.each(sly)(
  '%s: in the thread pool, what they take does not grow with their number',
  async (codec, bombs) => {
    const { grownKb } = await explode(codec, 'decodeInPool', bombs);
    expect(grownKb).toBeLessThan((150 * maxBytes) / 1024);
  },
);

async function explode(codec: string, decoder: string, bombs: Buffer[]) {
  const program = fileURLToPath(new URL('bombs.fixture.ts', import.meta.url));
  const inputs = bombs.map((bomb) => bomb.toString('base64'));
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    // Without these, V8's own memory comes and goes by megabytes.
    '--no-opt',
    '--max-semi-space-size=1',
    program,
    codec,
    decoder,
    String(maxBytes),
    ...inputs,
  ]);
  return JSON.parse(stdout) as { grownKb: number; faults: string[] };
}
