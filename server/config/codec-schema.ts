import { z } from 'zod';
import { bytes, distinct, filePath, MIB, oneOf, whole } from './scalars.ts';

export const codecSchema = z.strictObject({
  offer: distinct(oneOf(['zstd', 'brotli', 'gzip']), 3)
    .default(['zstd', 'brotli', 'gzip'])
    .meta({ description: 'Codecs that a client may ask for, the preferred one first.' }),
  minBytes: bytes(0)
    .default(1_024)
    .meta({ description: 'Messages below this many bytes are sent as they are.' }),
  maxDecodedBytes: bytes(1, 256 * MIB)
    .default(MIB)
    .meta({ description: 'Largest message after decoding, in bytes; a larger one closes with 1009.' }),
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
      dictionary: filePath
        .nullable()
        .default(null)
        .meta({ description: 'Dictionary that both sides have (file); null = none.' }),
    })
    .prefault({})
    .meta({ description: 'Settings of zstd.' }),
});
