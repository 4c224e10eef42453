import type { RunResult } from '../../result/run-result.ts';
import { countText } from '../../../server/admin/page/format.ts';
import type { Block } from '../report-page.ts';
import { momentsOf, secondsOfMoments } from '../timeline.ts';
import { shareText } from '../unit-text.ts';
import { momentNote, spanText } from './drawing.ts';

/** Kinds beyond these are counted together: a server can make up as many as it likes. */
const mostKinds = 20;

/** What went wrong, by kind and second by second; that nothing did is said where something was sent. */
export function errorBlocks(result: RunResult): Block[] {
  const { errors, totals } = result;
  const kinds = Object.entries(errors)
    .filter(([, times]) => times > 0)
    .sort(([, one], [, other]) => other - one);
  if (kinds.length === 0) {
    if (totals === null || totals.failed > 0) return [];
    const text = `None, in ${countText(totals.sent)} messages over ${countText(totals.connected)} connections.`;
    return [{ kind: 'points', title: 'Errors', points: [{ mood: 'good', text }] }];
  }
  const all = kinds.reduce((sum, [, times]) => sum + times, 0);
  const others = kinds.slice(mostKinds);
  const rest = others.reduce((sum, [, times]) => sum + times, 0);
  const shown = [
    ...kinds.slice(0, mostKinds),
    ...(others.length > 0 ? [[`${others.length} other kinds`, rest] as const] : []),
  ];
  return [
    {
      kind: 'bars',
      title: 'Errors by kind',
      wide: true,
      bars: shown.map(([label, times]) => ({
        ...{ label, value: times, mood: 'bad' },
        text: `${countText(times)} (${shareText(times / all)})`,
      })),
    },
    ...overTime(result),
  ];
}

function overTime(result: RunResult): Block[] {
  const moments = momentsOf(result);
  const ys = moments.map(({ errorsPerSecond }) => errorsPerSecond);
  if (!ys.some((value) => value > 0)) return [];
  return [
    {
      kind: 'lines',
      ...{ title: 'Errors per second', x: 'seconds', xs: moments.map(({ at }) => at), unit: 'per second' },
      ...{ lines: [{ label: 'errors', ys }], logarithmic: false, wide: true },
      summary: `errors per second ${spanText('per second', ys)}`,
      ...momentNote(secondsOfMoments(result), 'the highest'),
    },
  ];
}
