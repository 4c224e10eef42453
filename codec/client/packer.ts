import type { DictionaryShelf } from './dictionary-shelf.ts';

/** The codecs a client can ask for. */
export type CodecName = 'zstd' | 'brotli' | 'gzip';

/** Compresses and decompresses single messages of one connection. */
export interface Packer {
  pack(plain: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /** Throws or rejects with `CodecError` for what is not a message of this codec, and for one of more than maxBytes. */
  unpack(packed: Uint8Array, maxBytes: number): Uint8Array | Promise<Uint8Array>;
}

export interface PackerSettings {
  /** zstd's level or brotli's quality; undefined stands for the default of the codec. */
  readonly level: number | undefined;
  readonly dictionaries: DictionaryShelf;
}
