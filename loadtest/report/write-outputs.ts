import {
  accessSync,
  closeSync,
  constants,
  openSync,
  statSync,
  unlinkSync,
  writeFileSync,
  type Stats,
} from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { RunResult } from '../result/run-result.ts';
import { reportHtml } from './report-html.ts';

/** Where a run is written to, as `--json` and `--report` say it; undefined for what nobody asked for. */
export interface Outputs {
  readonly jsonFile?: string | undefined;
  readonly reportFile?: string | undefined;
}

/** Throws, with what to do, when a file could not be written: to be called before a run begins, which may take an hour. */
export function checkOutputs({ jsonFile, reportFile }: Outputs): void {
  if (jsonFile !== undefined) checkFile('--json', jsonFile);
  if (reportFile !== undefined) checkFile('--report', reportFile);
  if (jsonFile !== undefined && reportFile !== undefined && resolve(jsonFile) === resolve(reportFile))
    throw new Error(`--json and --report are the same file, ${jsonFile}: give them different names`);
}

/** Writes the files that were asked for, and returns their names; throws when one cannot be written, after it has tried the other. */
export function writeOutputs(result: RunResult, { jsonFile, reportFile }: Outputs): readonly string[] {
  const files: { readonly file: string; readonly text: () => string }[] = [];
  if (jsonFile !== undefined)
    files.push({ file: jsonFile, text: () => `${JSON.stringify(result, null, 2)}\n` });
  if (reportFile !== undefined) files.push({ file: reportFile, text: () => reportHtml(result) });
  const faults: string[] = [];
  for (const { file, text } of files) {
    try {
      writeFileSync(file, text());
    } catch (error) {
      faults.push(`cannot write ${file}: ${(error as Error).message}`);
    }
  }
  if (faults.length > 0) throw new Error(faults.join('\n'));
  return files.map(({ file }) => file);
}

/** Writes the files that were asked for, and says so; returns false, after saying why, when one cannot be written. */
export function tellOutputs(command: string, result: RunResult, outputs: Outputs): boolean {
  try {
    for (const file of writeOutputs(result, outputs)) console.log(`written: ${file}`);
    return true;
  } catch (error) {
    console.error(`${command}: ${(error as Error).message}`);
    return false;
  }
}

/** Throws when the file that was asked for with `flag` cannot be written; it is not touched. */
export function checkFile(flag: string, file: string): void {
  const folder = dirname(resolve(file));
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory()) throw new Error(`${flag} ${file} is a folder: give the name of a file in it`);
  if (found === undefined && !statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${flag} ${file}: there is no folder ${folder}; make it first`);
  try {
    tryToWrite(file, found);
  } catch (error) {
    throw new Error(`${flag}: cannot write ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** Permissions alone do not tell: not to root, not on a file system that is read-only. What was no file is none afterwards. */
function tryToWrite(file: string, found: Stats | undefined): void {
  if (found !== undefined && !found.isFile()) return accessSync(file, constants.W_OK);
  closeSync(openSync(file, 'a'));
  if (found === undefined) unlinkSync(file);
}
