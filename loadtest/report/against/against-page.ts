import type { Block, Mark, ReportPage } from '../report-page.ts';
import { startText } from '../run/run-page.ts';
import { secondsText } from '../unit-text.ts';
import { differenceBlocks, drawings, errorTable, unlikeBlocks } from './against-blocks.ts';
import { differencesOf } from './differences.ts';
import { countJudgements, sameShare } from './judgement.ts';
import type { Side } from './side.ts';
import { unlikeOf, type Unlike } from './unlike.ts';

/** Two runs beside each other: B against A. */
export function againstPage(a: Side, b: Side): ReportPage {
  const unlikes = unlikeOf(a.result, b.result);
  const differences = differencesOf(a.result, b.result);
  const sections: [string, Block[]][] = [
    ['What differs between the runs', unlikeBlocks(unlikes)],
    ['Figures', differenceBlocks(differences)],
    ['Drawings', drawings(a.result, b.result)],
    ['Errors', errorTable(a.result, b.result)],
  ];
  return {
    title: `${b.name} against ${a.name}`,
    about: [sideText('A', a), sideText('B', b)],
    marks: [
      ...[a, b].flatMap((side, index) => partMark('AB'[index]!, side)),
      ...doubtMarks(unlikes),
      { mood: 'plain', text: `B beside A: ${countJudgements(differences)} (within ${sameShare * 100} %).` },
    ],
    figures: [],
    sections: sections.flatMap(([title, blocks]) => (blocks.length === 0 ? [] : [{ title, blocks }])),
  };
}

function sideText(letter: string, { name, result }: Side): string {
  return `${letter}: ${name}: ${result.title}, ${startText(result.startedAt)}, ${secondsText(result.seconds)}`;
}

function partMark(letter: string, { result }: Side): Mark[] {
  if (result.complete) return [];
  return [{ mood: 'warn', text: `${letter} was interrupted after ${secondsText(result.seconds)}.` }];
}

/** What makes it doubtful that the difference is one of the servers. */
export function doubtMarks(unlikes: readonly Unlike[]): Mark[] {
  const doubts = unlikes.filter(({ isExpected }) => !isExpected).map(({ name }) => name);
  if (doubts.length === 0) return [];
  const text = `Not the same run twice: ${doubts.join(', ')} differ${doubts.length === 1 ? 's' : ''}. The figures may differ for that reason alone.`;
  return [{ mood: 'warn', text }];
}
