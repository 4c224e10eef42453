import type { Registry } from 'prom-client';
import { registerCounter } from './families.ts';
import type { Sample } from './families.ts';

/** What went through one codec since the start, in bytes. */
export interface CodecTotals {
  readonly encodedPlain: number;
  readonly encodedPacked: number;
  readonly decodedPacked: number;
  readonly decodedPlain: number;
}

/** Publishes what `codecs` returns at each scrape, by codec name. */
export function registerCodecFamilies(
  registry: Registry,
  codecs: () => Iterable<readonly [name: string, totals: CodecTotals]>,
): void {
  registerCounter(registry, {
    name: 'wsluice_codec_bytes_total',
    help: 'Bytes of messages before and after their codec',
    labels: ['codec', 'direction', 'stage'],
    read: () => [...codecs()].flatMap(([codec, totals]) => samples(codec, totals)),
  });
}

function samples(codec: string, totals: CodecTotals): Sample[] {
  const { encodedPlain, encodedPacked, decodedPacked, decodedPlain } = totals;
  return [
    [{ codec, direction: 'encode', stage: 'plain' }, encodedPlain],
    [{ codec, direction: 'encode', stage: 'packed' }, encodedPacked],
    [{ codec, direction: 'decode', stage: 'packed' }, decodedPacked],
    [{ codec, direction: 'decode', stage: 'plain' }, decodedPlain],
  ];
}
