import type { CodecName, Packer, PackerSettings } from './packer.ts';

/** How long a codec may take to load. */
const loadTimeoutMs = 30_000;

const loaders: Readonly<Record<CodecName, (settings: PackerSettings) => Promise<Packer>>> = {
  zstd: async (settings) => (await import('./zstd.ts')).createZstd(settings),
  brotli: async (settings) => (await import('./brotli.ts')).createBrotli(settings),
  gzip: async () => (await import('./gzip.ts')).createGzip(),
};

const needs: Readonly<Record<CodecName, string>> = {
  zstd: 'WebAssembly',
  brotli: 'WebAssembly',
  gzip: 'DecompressionStream',
};

/** The first of the codecs that this platform can run; undefined when it is none of them. Throws TypeError for an unknown one. */
export function chooseCodec(wanted: CodecName | readonly CodecName[]): CodecName | undefined {
  const names = typeof wanted === 'string' ? [wanted] : wanted;
  const unknown = names.find((name) => !Object.hasOwn(loaders, name));
  if (unknown !== undefined) throw new TypeError(`unknown codec '${unknown}'`);
  return names.find((name) => needs[name] in globalThis);
}

/** Loads a codec, and its WebAssembly where it has one. Rejects when that fails or takes longer than 30 s. */
export async function loadPacker(name: CodecName, settings: PackerSettings): Promise<Packer> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} does not load`)), loadTimeoutMs);
  });
  try {
    return await Promise.race([loaders[name](settings), late]);
  } finally {
    clearTimeout(timer);
  }
}
