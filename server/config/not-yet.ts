import type { Config } from './schema.ts';

const dedicatedDeflate =
  'listen.permessageDeflate: a dedicated compressor takes 70 KiB for each client and packs less than shared (docs/codecs.md)';

/** One sentence for each setting that is accepted but has no effect in this version, or not the one to expect. */
export function notYetInEffect(config: Config): string[] {
  return [
    ...(config.listen.permessageDeflate.startsWith('dedicated') ? [dedicatedDeflate] : []),
    ...(config.workers === 1 ? [] : ['workers has no effect in this version: there is one']),
  ];
}
