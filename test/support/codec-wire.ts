import zlib from 'node:zlib';
import type { Received } from './client.ts';

/** Every codec of the gateway. */
export const CODECS = ['zstd', 'brotli', 'gzip', 'identity'] as const;
export type CodecName = (typeof CODECS)[number];

/** The header by which a server says which codec it speaks. */
export const codecHeader = 'Wsluice-Codec';

/** Bits of the flag byte that a binary message begins with. */
export const FLAG = { compressed: 1, text: 2 } as const;

/** A message and what it looked like on the wire. */
export interface Unpacked extends Received {
  /** The flag byte; undefined for a text message, which has none. */
  readonly flags: number | undefined;
  readonly wireBytes: number;
}

/** Packs with the one-shot calls of node:zlib, which share no code with the gateway's reused streams. */
export function compress(codec: CodecName, plain: Buffer, dictionary?: Buffer): Buffer {
  switch (codec) {
    case 'zstd':
      return zlib.zstdCompressSync(plain, dictionary === undefined ? {} : { dictionary });
    case 'brotli':
      return zlib.brotliCompressSync(plain, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 4 } });
    case 'gzip':
      return zlib.gzipSync(plain);
    case 'identity':
      return plain;
  }
}

/** Unpacks with the one-shot calls of node:zlib; throws what they throw. */
export function decompress(codec: CodecName, packed: Buffer, dictionary?: Buffer): Buffer {
  switch (codec) {
    case 'zstd':
      return zlib.zstdDecompressSync(packed, dictionary === undefined ? {} : { dictionary });
    case 'brotli':
      return zlib.brotliDecompressSync(packed);
    case 'gzip':
      return zlib.gunzipSync(packed);
    case 'identity':
      return packed;
  }
}

/** A binary message with these flags. */
export function withFlags(flags: number, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([flags]), payload]);
}

/** A compressed message as it goes over the wire, inside of a binary frame. */
export function pack(codec: CodecName, data: string | Buffer, dictionary?: Buffer): Buffer {
  const flags = FLAG.compressed | (typeof data === 'string' ? FLAG.text : 0);
  return withFlags(flags, compress(codec, Buffer.from(data), dictionary));
}

/** What a message from the wire holds. */
export function unpack(codec: CodecName, { data, isBinary }: Received, dictionary?: Buffer): Unpacked {
  if (!isBinary) return { data, isBinary, flags: undefined, wireBytes: data.length };
  const flags = data[0];
  if (flags === undefined || flags > 3) throw new Error(`flag byte ${flags}`);
  const payload = data.subarray(1);
  const plain = (flags & FLAG.compressed) === 0 ? payload : decompress(codec, payload, dictionary);
  return { data: plain, isBinary: (flags & FLAG.text) === 0, flags, wireBytes: data.length };
}

/** The id of the dictionary that a zstd frame names, 0 for none (RFC 8878 section 3.1.1.1). */
export function dictionaryIdOf(frame: Buffer): number {
  const descriptor = frame[4]!;
  const bytes = [0, 1, 2, 4][descriptor & 3]!;
  return bytes === 0 ? 0 : frame.readUIntLE((descriptor & 32) === 0 ? 6 : 5, bytes);
}

/** Compresses with a stream of node:zlib that is flushed again and again, so that the start does not tell the size. */
export async function compressInPieces(
  stream: zlib.BrotliCompress | zlib.ZstdCompress | zlib.Gzip,
  pieces: Iterable<Buffer>,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const piece of pieces) {
    stream.write(piece);
    await new Promise<void>((resolve) => stream.flush(resolve));
  }
  await new Promise<void>((resolve) => stream.once('end', resolve).end());
  return Buffer.concat(chunks);
}
