import { grouped } from '../result/grouped.ts';
import { total } from '../result/total.ts';
import type { ScenarioRun } from './scenario-run.ts';

/** Returns what a run does now, in a line. */
export function progressText(run: Pick<ScenarioRun, 'book' | 'stages' | 'startedMs'>): string {
  const { connected, open, sent, received } = run.book.counts;
  const seconds = Math.round((performance.now() - run.startedMs) / 1_000);
  const parts = [`${seconds} s`];
  const stage = run.stages.current;
  if (stage !== undefined) parts.push(stage);
  parts.push(connected === 0 ? 'artillery starts' : `${grouped(open)} connected`);
  if (sent > 0) parts.push(`${grouped(sent)} sent, ${grouped(received)} replies`);
  const errors = total(run.book.errors);
  if (errors > 0) parts.push(`${grouped(errors)} errors`);
  return parts.join(' · ');
}
