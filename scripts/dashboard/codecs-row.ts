import { lines, type Panel } from './panels.ts';
import { of, perSecond } from './queries.ts';

/** Bytes a second of each codec, packed or not. */
function bytes(direction: 'encode' | 'decode', stage: 'plain' | 'packed'): string {
  const series = of('wsluice_codec_bytes_total', `direction="${direction}", stage="${stage}"`);
  return `sum by (codec) (${perSecond(series)})`;
}

/** What compression saves. */
export const codecsRow: readonly Panel[] = [
  lines(
    {
      title: 'Packed for clients and upstreams',
      description: 'Bytes a second before and after their codec.',
      unit: 'Bps',
    },
    [
      { expr: bytes('encode', 'plain'), legend: '{{codec}} before' },
      { expr: bytes('encode', 'packed'), legend: '{{codec}} after' },
    ],
  ),
  lines(
    {
      title: 'Unpacked',
      description: 'Bytes a second as they came, and what was in them.',
      unit: 'Bps',
    },
    [
      { expr: bytes('decode', 'packed'), legend: '{{codec}} as it came' },
      { expr: bytes('decode', 'plain'), legend: '{{codec}} unpacked' },
    ],
  ),
  lines(
    {
      title: 'Saved',
      description: 'Bytes a second that did not have to be sent.',
      unit: 'Bps',
    },
    [{ expr: `${bytes('encode', 'plain')} - ${bytes('encode', 'packed')}`, legend: '{{codec}}' }],
    { stacked: true },
  ),
  lines(
    {
      title: 'What is left',
      description: 'Bytes after packing as a share of those before: the smaller the better.',
      unit: 'percentunit',
    },
    [{ expr: `${bytes('encode', 'packed')} / ${bytes('encode', 'plain')}`, legend: '{{codec}}' }],
  ),
];
