/** `npm run report`: the report of a run that was kept as JSON, or of two beside each other. */
import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { againstText } from './against/against-text.ts';
import { parseReportOrder, usage } from './arguments.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { readRun } from './read-run.ts';
import { comparisonHtml, reportHtml } from './report-html.ts';
import { checkFile } from './write-outputs.ts';
import '../stand/outlive-readers.ts';

process.exitCode = main(process.argv.slice(2));

function main(args: readonly string[]): number {
  try {
    const order = parseReportOrder(args);
    if (order === undefined) console.log(usage);
    else write(order.files, order.outFile);
    return exitCodes.done;
  } catch (error) {
    console.error(`report: ${(error as Error).message}`);
    return exitCodes.cannotBegin;
  }
}

function write(files: readonly string[], outFile: string): void {
  const [a, b] = files.map((file) => ({ name: basename(file), file, result: readRun(file) }));
  checkFile('--out', outFile);
  if (b === undefined) {
    writeFileSync(outFile, reportHtml(a!.result));
  } else {
    if (a!.result.kind !== b.result.kind)
      throw new Error(
        `${a!.file} is of ${a!.result.kind} and ${b.file} of ${b.result.kind}: only two of a kind can be compared`,
      );
    const names = a!.name === b.name ? { a: a!.file, b: b.file } : { a: a!.name, b: b.name };
    const sides = [
      { ...a!, name: names.a },
      { ...b, name: names.b },
    ] as const;
    console.log(againstText(...sides));
    writeFileSync(outFile, comparisonHtml(...sides));
  }
  console.log(`written: ${outFile}`);
}
