import { readFileSync, statSync } from 'node:fs';
import { parseRunResult, type RunResult } from '../result/run-result.ts';
import { printable } from './printable.ts';

const mostBytes = 200_000_000;
const mostLines = 6;

/** Reads the JSON that a run has written; throws, naming the file and what is wrong with it. */
export function readRun(file: string): RunResult {
  try {
    const found = statSync(file);
    if (!found.isFile()) throw new Error('it is no file');
    if (found.size > mostBytes) throw new Error(`it is larger than ${mostBytes / 1e6} MB`);
    return parseRunResult(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    const lines = reason.split('\n').map((line) => printable(line));
    const shown = lines.length > mostLines ? [...lines.slice(0, mostLines), '  …'] : lines;
    throw new Error(`${file}: ${shown.join('\n')}`, { cause: error });
  }
}
