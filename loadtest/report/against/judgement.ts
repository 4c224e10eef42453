import type { Difference } from './differences.ts';

/** Two runs of one build differ by as much: a smaller change says nothing. */
export const sameShare = 0.05;

export type Judgement = 'better' | 'worse' | 'same';

/** What B's figure is, beside A's. */
export function judge({ a, b, better }: Difference): Judgement {
  const isSame = a === b || Math.abs(b - a) <= sameShare * Math.max(Math.abs(a), Math.abs(b));
  if (isSame) return 'same';
  return b > a === (better === 'more') ? 'better' : 'worse';
}

/** `+12.3 %`, `−4.0 %`, `12 times as much`; nothing can be said against a zero. */
export function changeText({ a, b }: Difference): string {
  if (a === b) return '±0 %';
  if (a === 0) return '';
  const percent = (b / a - 1) * 100;
  if (percent > 900) return `${Math.round(b / a)} times as much`;
  return `${percent < 0 ? '−' : '+'}${Math.abs(percent).toFixed(Math.abs(percent) < 99.95 ? 1 : 0)} %`;
}

/** `worse (+12.3 %)`, `same`. */
export function judgementText(difference: Difference): string {
  const judgement = judge(difference);
  const change = changeText(difference);
  return judgement === 'same' || change === '' ? judgement : `${judgement} (${change})`;
}

/** `3 better, 1 worse, 12 the same`. */
export function countJudgements(differences: readonly Difference[]): string {
  const count = (wanted: Judgement): number =>
    differences.filter((difference) => judge(difference) === wanted).length;
  return `${count('better')} better, ${count('worse')} worse, ${count('same')} the same`;
}
