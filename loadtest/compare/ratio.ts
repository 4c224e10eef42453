import { hindranceOf, isNoisy } from './bottleneck.ts';
import type { Hindrance } from './bottleneck.ts';
import type { Figures } from './figures.ts';

/** A against B under one load. */
export interface Ratio {
  readonly a: Figures;
  readonly b: Figures;
  /** Round trips per second, A's ÷ B's; undefined when it would say something of the loader, the backend or other programs. */
  readonly ratio: number | undefined;
  /** What held each of those back that were, when there is no ratio. */
  readonly refused: readonly { readonly of: Figures; readonly hindrance: Hindrance }[];
  /** CPU time per message, B's ÷ A's: what the ratio would be if each had a core to itself. Undefined when other programs were in the way. */
  readonly perCpuSecond: number | undefined;
  readonly goal: number | undefined;
}

/** Compares the medians of two servers. */
export function ratioOf(a: Figures, b: Figures, goal?: number): Ratio {
  const refused = [a, b].flatMap((of) => {
    const hindrance = hindranceOf(of);
    return hindrance === undefined ? [] : [{ of, hindrance }];
  });
  return {
    ...{ a, b, refused, goal },
    ratio: refused.length > 0 ? undefined : a.messagesPerSecond / b.messagesPerSecond,
    perCpuSecond: [a, b].some(isNoisy) ? undefined : b.serverCpuUsPerMessage / a.serverCpuUsPerMessage,
  };
}

/** Says whether the goal was reached; empty where there is none, or nothing to hold against it. */
export function verdictOf({ ratio, goal }: Pick<Ratio, 'ratio' | 'goal'>): string {
  if (goal === undefined || ratio === undefined) return '';
  return ratio >= goal ? 'met' : 'missed';
}
