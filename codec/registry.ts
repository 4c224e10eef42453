import { createBrotli, type BrotliSettings } from './brotli.ts';
import type { Codec } from './codec.ts';
import { createGzip, type GzipSettings } from './gzip.ts';
import { createIdentity } from './identity.ts';
import { createZstd, type ZstdSettings } from './zstd.ts';

/** What each codec is set to; the keys of the config's `codec`. */
export interface CodecSettings extends ZstdSettings, BrotliSettings, GzipSettings {}

/** Every codec by the name that clients ask for. A new one is a file and a line here. */
export const registry = {
  zstd: createZstd,
  brotli: createBrotli,
  gzip: createGzip,
  identity: createIdentity,
} satisfies Record<string, (settings: CodecSettings) => Codec>;

export type CodecName = keyof typeof registry;

/** All names. */
export const codecNames = Object.keys(registry) as readonly CodecName[];
