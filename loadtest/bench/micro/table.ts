import { aligned } from '../../result/aligned.ts';
import { grouped } from '../../result/grouped.ts';
import type { MicroBench } from '../../result/run-result.ts';

/** The columns of the table, for people and for pages. */
export const microColumns = ['', 'takes', 'goal', "seed's figure", '× faster', 'smaller', "seed's"] as const;

/** What the seed's figures are, wherever they are shown. */
export const seedNote =
  "seed's figure: what a guide to a WebSocket server of this kind says, of Rust 1.75 on a Ryzen 9 5950X; another machine and another language.";

/** Returns the cells of a bench under `microColumns`; empty ones where nothing is wanted or known. */
export function microCells({ name, ns, goalNs, seedNs, bytes, smaller, seedSmaller }: MicroBench): string[] {
  const shown = (takesNs: number): string =>
    bytes === undefined ? `${digits(takesNs)} ns` : `${digits((bytes / takesNs) * 1000)} MB/s`;
  return [
    name,
    shown(ns),
    goalNs === null ? '' : `≤ ${goalNs} ns: ${ns <= goalNs ? 'met' : 'missed'}`,
    seedNs === null ? '' : shown(seedNs),
    seedNs === null ? '' : (seedNs / ns).toFixed(1),
    smaller === undefined ? '' : `${smaller.toFixed(2)}×`,
    seedSmaller === undefined ? '' : `${seedSmaller.toFixed(1)}×`,
  ];
}

/** Returns benches as aligned columns, without those in which nothing stands. */
export function microTable(benches: readonly MicroBench[]): string {
  const rows: (readonly string[])[] = [microColumns, ...benches.map(microCells)];
  const used = microColumns.map((_, column) => rows.slice(1).some((cells) => cells[column] !== ''));
  return aligned(rows.map((cells) => cells.filter((_, column) => used[column])));
}

function digits(value: number): string {
  return value < 100 ? value.toFixed(1) : grouped(value);
}
