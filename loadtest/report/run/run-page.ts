import type { RunResult } from '../../result/run-result.ts';
import type { Block, ReportPage } from '../report-page.ts';
import { secondsText } from '../unit-text.ts';
import { benchBlocks } from './bench-blocks.ts';
import { comparisonBlocks } from './comparison-blocks.ts';
import { environmentBlocks } from './environment-blocks.ts';
import { errorBlocks } from './error-blocks.ts';
import { keyFigures } from './key-figures.ts';
import { latencyBlocks } from './latency-blocks.ts';
import { processBlocks } from './process-blocks.ts';
import { stageBlocks } from './stage-blocks.ts';
import { suggestionsOf } from './suggestions.ts';
import { throughputBlocks } from './throughput-blocks.ts';
import { marksOf, verdictBlocks } from './verdict-blocks.ts';

/** What the report of a run shows: the environment, the results, what follows from them. What was not measured is not in it. */
export function runPage(result: RunResult): ReportPage {
  const sections: [string, Block[]][] = [
    ['Expectations', verdictBlocks(result)],
    ['Test environment', environmentBlocks(result)],
    ['Response times', latencyBlocks(result)],
    ['Throughput', throughputBlocks(result)],
    ['As the load grew', stageBlocks(result)],
    ['Comparison', comparisonBlocks(result)],
    ['Micro-benches', benchBlocks(result)],
    ['Errors', errorBlocks(result)],
    ['Processes', processBlocks(result)],
    ['Suggestions', suggestionBlocks(result)],
  ];
  return {
    title: result.title,
    about: [`${startText(result.startedAt)}, ${secondsText(result.seconds)}`, result.target],
    marks: marksOf(result),
    figures: keyFigures(result),
    sections: sections.flatMap(([title, blocks]) => (blocks.length === 0 ? [] : [{ title, blocks }])),
  };
}

function suggestionBlocks(result: RunResult): Block[] {
  const points = suggestionsOf(result).map((text) => ({ mood: 'warn', text }) as const);
  return points.length === 0 ? [] : [{ kind: 'points', title: 'What follows', points }];
}

/** `2026-03-01 14:02 UTC`: the same wherever it is read. Another form stays as it is. */
export function startText(startedAt: string): string {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d).*Z$/.exec(startedAt) ?? [];
  return day === undefined ? startedAt : `${day} ${minute!} UTC`;
}
