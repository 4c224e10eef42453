// A program: decodes bombs, given in base64, again and again, and prints by how many KB its memory grew at the peak.
import { Buffer } from 'node:buffer';
import { registry, type CodecName } from './registry.ts';

const [name, decoder, maxBytes, ...bombs] = process.argv.slice(2) as [CodecName, string, string, ...string[]];
const codec = registry[name]({
  gzip: { level: 6 },
  brotli: { quality: 4 },
  zstd: { level: 3, dictionaries: [] },
});
const inputs = bombs.map((bomb) => Buffer.from(bomb, 'base64'));

async function decode(input: Uint8Array): Promise<string | undefined> {
  try {
    if (decoder === 'decodeInPool') await codec.decodeInPool(input, Number(maxBytes));
    else codec.decode(input, Number(maxBytes));
    return undefined;
  } catch (error) {
    return (error as { fault?: string }).fault;
  }
}

// What the first messages and the first faults take is not the bombs'.
for (let round = 0; round < 2000; round++) {
  await decode(Buffer.from(codec.encode(Buffer.alloc(1000, 'x'))));
  await decode(Buffer.from('not a message at all, and too long for a header'));
}
const before = process.resourceUsage().maxRSS;
const faults = new Set<string | undefined>();
for (let round = 0; round < 300; round++) for (const input of inputs) faults.add(await decode(input));
const grownKb = process.resourceUsage().maxRSS - before;
process.stdout.write(JSON.stringify({ grownKb, faults: [...faults] }));
