/** From the smallest to the largest. */
export type Bars = readonly string[];

export const blocks: Bars = Array.from('▁▂▃▄▅▆▇█');
/** For terminals that know no more. */
export const ascii: Bars = Array.from('_.-:=+*#');

/** The last `width` values as bars, the newest at the right; the largest of them has the highest bar. */
export function sparkline(values: readonly number[], width: number, bars: Bars): string {
  const shown = width > 0 ? values.slice(-width) : [];
  const largest = Math.max(0, ...shown);
  const bar = (value: number): string => {
    const share = largest > 0 && value > 0 ? value / largest : 0;
    return bars[Math.min(bars.length - 1, Math.ceil(share * (bars.length - 1)))]!;
  };
  return shown.map(bar).join('').padStart(width);
}
