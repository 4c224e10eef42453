import type { RunResult } from '../../result/run-result.ts';
import { bytesText, countText } from '../../../server/admin/page/format.ts';
import { gatewayCpuUsPerMessage, useOf } from '../process-use.ts';
import type { KeyFigure } from '../report-page.ts';
import { msText, unitText } from '../unit-text.ts';
import { repliesPerSecond } from './throughput-blocks.ts';

/** The few figures that a reader looks for first; only those that were measured. */
export function keyFigures(result: RunResult): KeyFigure[] {
  const { totals, latency, timeline } = result;
  const rate = repliesPerSecond(result);
  const open = Math.max(totals?.connected ?? 0, ...timeline.map((second) => second.open));
  const gateway = useOf(result, 'gateway');
  const passed = result.stages.flatMap((stage) => (stage.passed === true ? [stage.repliesPerSecond] : []));
  const most = passed.length === 0 ? undefined : Math.max(...passed);
  const cpuUs = gatewayCpuUsPerMessage(result);
  const known: (readonly [string, string | undefined])[] = [
    ['connections', totals === null ? undefined : countText(open)],
    ['replies per second', rate === undefined ? undefined : unitText('per second', rate)],
    ['most replies/s that passed', most === undefined ? undefined : unitText('per second', most)],
    ...['50', '99', '99.9'].map((percentile) => {
      const ms = latency?.percentilesMs[percentile];
      return [`${percentile} % within`, ms === undefined ? undefined : msText(ms)] as const;
    }),
    ['slowest', latency === null ? undefined : msText(latency.maxMs)],
    ['errors', totals === null ? undefined : countText(totals.failed)],
    ['CPU per message', cpuUs === undefined ? undefined : `${cpuUs.toFixed(1)} µs`],
    ['gateway memory', gateway === undefined ? undefined : bytesText(gateway.mostBytes)],
  ];
  return known.flatMap(([label, text]) => (text === undefined ? [] : [{ label, text }]));
}
