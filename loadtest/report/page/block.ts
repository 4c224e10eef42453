import type { Block } from '../report-page.ts';
import { barsCard } from './bars.ts';
import { drawLineChart } from './line-chart.ts';
import { factsCard, pointsCard } from './texts.ts';
import { tableCard } from './table.ts';

/** Adds one part of a report to its place. */
export function drawBlock(block: Block, place: HTMLElement): void {
  if (block.kind === 'lines') drawLineChart(block, place);
  else if (block.kind === 'table') place.append(tableCard(block));
  else if (block.kind === 'bars') place.append(barsCard(block));
  else if (block.kind === 'facts') place.append(factsCard(block));
  else place.append(pointsCard(block));
}
