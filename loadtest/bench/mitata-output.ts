import { stripVTControlCharacters } from 'node:util';

export interface Timing {
  /** The group, if there is one, and the bench. */
  readonly name: string;
  readonly averageNs: number;
}

const nsPerUnit: Readonly<Record<string, number>> = { ps: 1e-3, ns: 1, µs: 1e3, ms: 1e6, s: 1e9 };

/** Returns the averages in the table that a mitata bench file prints. */
export function readMitata(output: string): Timing[] {
  const timings: Timing[] = [];
  let group = '';
  for (const line of stripVTControlCharacters(output).split('\n')) {
    if (line.startsWith('• ')) group = `${line.slice(2).trim()}: `;
    const row = /^(\S.*?)\s+([\d.]+) (ps|ns|µs|ms|s)\/iter/.exec(line);
    if (row) timings.push({ name: group + row[1]!, averageNs: Number(row[2]) * nsPerUnit[row[3]!]! });
  }
  return timings;
}
