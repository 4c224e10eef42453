import { z } from 'zod';
import { codecNames } from '../../codec/registry.ts';
import { bytes, distinct, filePath, MIB, oneOf, whole, withOrder } from './scalars.ts';

/** A codec that a client may ask for, or that is spoken to an upstream. */
export const codecName = oneOf(codecNames);

const dictionaryFiles = distinct(filePath, 8).meta({ allowed: 'a list of up to 8 of them' });

const codec = z.strictObject({
  offer: distinct(codecName, codecNames.length)
    .default(['zstd', 'brotli', 'gzip'])
    .meta({ description: 'Codecs that a client may ask for, the preferred one first; empty = none.' }),
  minBytes: bytes(0).default(1_024).meta({
    description:
      'Messages below this many bytes are sent as they are, with a codec and with permessage-deflate.',
  }),
  maxDecodedBytes: bytes(1, 256 * MIB)
    .default(MIB)
    .meta({ description: 'Largest message after decoding, in bytes; a larger one closes with 1009.' }),
  threads: whole(1, 64).default(4).meta({
    description:
      'Messages that may be in the thread pool at the same time; it has 4 threads unless UV_THREADPOOL_SIZE says otherwise.',
  }),
  maxPendingBytes: bytes(1)
    .default(4 * MIB)
    .meta({
      description:
        'Bytes that may wait for the thread pool, for each connection and direction; at least maxDecodedBytes.',
    }),
  gzip: z
    .strictObject({ level: whole(1, 9).default(6).meta({ description: 'Compression level, 9 = smallest.' }) })
    .prefault({})
    .meta({ description: 'Settings of gzip.' }),
  brotli: z
    .strictObject({
      quality: whole(0, 11).default(4).meta({ description: 'Compression quality, 11 = smallest.' }),
    })
    .prefault({})
    .meta({ description: 'Settings of brotli.' }),
  zstd: z
    .strictObject({
      level: whole(1, 22).default(3).meta({ description: 'Compression level, 22 = smallest.' }),
      dictionary: z.union([filePath, dictionaryFiles, z.null()]).default(null).meta({
        description:
          'Dictionary files that both sides have; the first one packs, each unpacks what it has packed; null = none.',
      }),
    })
    .prefault({})
    .meta({ description: 'Settings of zstd.' }),
});

export const codecSchema = withOrder(codec, 'maxDecodedBytes', 'maxPendingBytes');
