import type { RunResult } from '../../result/run-result.ts';
import { countText, plural } from '../../../server/admin/page/format.ts';
import type { Block, Mark, Mood } from '../report-page.ts';
import { secondsText } from '../unit-text.ts';

/** What stands above everything else: a run that is only a part, whether it came up to what was expected, and what went wrong. */
export function marksOf({ complete, seconds, verdicts, totals }: RunResult): Mark[] {
  const marks: Mark[] = [];
  if (!complete) {
    const text = `Interrupted after ${secondsText(seconds)}: this is what was measured until then, not the whole run.`;
    marks.push({ mood: 'warn', text });
  }
  const failed = verdicts.filter(({ passed }) => !passed).length;
  if (failed > 0) {
    const which =
      verdicts.length === 1 ? 'its expectation' : `${failed} of ${countText(verdicts.length)} expectations`;
    const text = `Failed: ${which} not met.`;
    marks.push({ mood: 'bad', text });
  } else if (verdicts.length > 0) {
    const text = `Passed: ${verdicts.length === 1 ? 'its expectation' : `all ${countText(verdicts.length)} expectations`} met.`;
    marks.push({ mood: 'good', text });
  }
  if (totals !== null && totals.failed > 0)
    marks.push({
      mood: 'bad',
      text: `${plural(totals.failed, 'message or connection', 'messages and connections')} went wrong.`,
    });
  return marks;
}

/** What was expected, beside what was measured. */
export function verdictBlocks({ verdicts }: RunResult): Block[] {
  if (verdicts.length === 0) return [];
  const moods: Record<string, Mood> = {};
  const rows = verdicts.map(({ expectation, measured, passed }, row) => {
    moods[`${row},2`] = passed ? 'good' : 'bad';
    return [expectation, measured, passed ? 'met' : 'not met'];
  });
  const head = ['Expected', 'Measured', 'State'];
  return [{ kind: 'table', title: 'Expectations', head, rows, moods, numbers: [] }];
}
