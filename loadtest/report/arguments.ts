import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

export const usage = `npm run report -- run.json               writes run.html, the report of one run
npm run report -- a.json b.json          writes b-against-a.html, and prints how B differs from A
  --out <file.html>                      writes there instead

The JSON files are what --json of loadtest, scenario, scale, compare and bench writes.`;

export interface ReportOrder {
  readonly files: readonly [string] | readonly [string, string];
  readonly outFile: string;
}

/** Reads the command line, undefined when it asks for help; throws with a readable reason when it makes no sense. */
export function parseReportOrder(args: readonly string[]): ReportOrder | undefined {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { out: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help) return undefined;
  const [a, b, ...more] = positionals;
  if (a === undefined) throw new Error(`which run?\n${usage}`);
  if (more.length > 0) throw new Error(`one run, or two to compare, not ${positionals.length}\n${usage}`);
  const files = b === undefined ? ([a] as const) : ([a, b] as const);
  const outFile = values.out ?? beside(files);
  for (const file of files)
    if (resolve(file) === resolve(outFile))
      throw new Error(`the report would replace ${file}: give --out another name`);
  return { files, outFile };
}

/** In the folder of the last file, by its name. */
function beside(files: ReportOrder['files']): string {
  const stems = files.map((file) => basename(file).replace(/\.json$/, ''));
  return join(dirname(files.at(-1)!), `${stems.reverse().join('-against-')}.html`);
}
