import { aligned } from '../../result/aligned.ts';
import { doubtMarks } from './against-page.ts';
import { differencesOf } from './differences.ts';
import { changeText, countJudgements, judge } from './judgement.ts';
import { printable } from '../printable.ts';
import type { Side } from './side.ts';
import { unlikeOf } from './unlike.ts';

const longestName = 48;

/** Two runs beside each other, for a terminal. Throws when they have no figure in common. */
export function againstText(a: Side, b: Side): string {
  const differences = differencesOf(a.result, b.result);
  if (differences.length === 0)
    throw new Error(`${a.name} and ${b.name} have no figure in common: there is nothing to compare`);
  const unlikes = unlikeOf(a.result, b.result);
  const rows = differences.map((difference) => {
    const { group, name, text } = difference;
    const judgement = judge(difference);
    const label = printable(`${group}: ${name}`).slice(0, longestName);
    return [label, text(difference.a), text(difference.b), changeText(difference), judgement];
  });
  const doubts = doubtMarks(unlikes).map(({ text }) => `  ${printable(text)}`);
  return [
    `A ${printable(a.name)}, B ${printable(b.name)}: ${countJudgements(differences)}`,
    aligned([['', 'A', 'B', 'change', 'B is'], ...rows]),
    ...unlikes.map(({ name, a: inA, b: inB }) => printable(`  ${name}: A ${inA}, B ${inB}`)),
    ...doubts,
  ].join('\n');
}
