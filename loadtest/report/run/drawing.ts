import type { Unit } from '../report-page.ts';
import { unitText } from '../unit-text.ts';

/** From this ratio of largest to smallest on, a scale of equal steps shows only the largest. */
const wideRatio = 30;

/** Whether a scale should go by ratios. */
export function isWide(ratio: number): boolean {
  return Number.isFinite(ratio) && ratio > wideRatio;
}

/** `from 1.20 ms to 8.00 ms`; `not measured` where there is no value. */
export function spanText(unit: Unit, ys: readonly (number | null)[]): string {
  const values = ys.filter((value) => value !== null);
  if (values.length === 0) return 'not measured';
  return `from ${unitText(unit, Math.min(...values))} to ${unitText(unit, Math.max(...values))}`;
}

/** What is said where a value stands for more than a second. */
export function momentNote(seconds: number, which: string): { note?: string } {
  return seconds === 1 ? {} : { note: `Each value is ${which} of ${seconds} seconds.` };
}
