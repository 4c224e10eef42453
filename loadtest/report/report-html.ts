import type { RunResult } from '../result/run-result.ts';
import { againstPage } from './against/against-page.ts';
import type { Side } from './against/side.ts';
import { htmlFile } from './html-file.ts';
import { runPage } from './run/run-page.ts';

/** Returns the report of a run: one HTML file that asks nobody for anything. */
export function reportHtml(result: RunResult): string {
  return htmlFile(runPage(result));
}

/** Returns two runs of a kind beside each other, as one such file. */
export function comparisonHtml(a: Side, b: Side): string {
  return htmlFile(againstPage(a, b));
}
