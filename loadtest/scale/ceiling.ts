/** Why a rate is tried. */
export type Purpose = 'growth' | 'descent' | 'bisection' | 'confirmation';

export interface CeilingOptions {
  /** Tried first. */
  readonly startRate: number;
  readonly leastRate: number;
  readonly mostRate: number;
  /** Loads at that rate for a while and returns whether all that was expected of it came true; a confirmation takes longer. */
  readonly keeps: (ratePerSecond: number, purpose: Purpose) => Promise<boolean>;
}

export interface Ceiling {
  /** The highest rate that was found to keep; undefined when not even the least one did. */
  readonly ratePerSecond: number | undefined;
  /** A longer run at that rate kept it too. */
  readonly confirmed: boolean;
  /** The lowest rate that did not keep; undefined when none was found below the most that is tried. */
  readonly brokenAt: number | undefined;
}

/** Up and down in these steps, until the two sides are so close. */
const growth = 1.6;
const closeEnough = 1.06;
const stepDown = 0.93;
const mostConfirmations = 4;

/**
 * Finds the highest rate that keeps: up by 1.6 until one does not (down, if the first does not), then by halves between the two until they are
 * 6 % apart, then a longer run of the answer, 7 % lower each time that one fails. A rate that fails is tried once more, since what else runs
 * on the machine disturbs one try in many.
 */
export async function findCeiling({
  startRate,
  leastRate,
  mostRate,
  keeps,
}: CeilingOptions): Promise<Ceiling> {
  const keepsInTwo = async (rate: number, purpose: Purpose): Promise<boolean> =>
    (await keeps(rate, purpose)) || keeps(rate, purpose);
  let kept: number | undefined;
  let broken: number | undefined;
  for (let rate = rounded(startRate); broken === undefined || kept === undefined;) {
    if (await keepsInTwo(rate, broken === undefined ? 'growth' : 'descent')) kept = rate;
    else broken = rate;
    if (broken === undefined && rate >= mostRate) break;
    if (kept === undefined && rate <= leastRate) break;
    rate =
      broken === undefined
        ? Math.min(mostRate, rounded(rate * growth))
        : Math.max(leastRate, rounded(rate / growth));
  }
  if (kept === undefined) return { ratePerSecond: undefined, confirmed: false, brokenAt: broken };
  while (broken !== undefined && broken / kept > closeEnough) {
    const middle = rounded(Math.sqrt(kept * broken));
    if (middle <= kept || middle >= broken) break;
    if (await keepsInTwo(middle, 'bisection')) kept = middle;
    else broken = middle;
  }
  for (let tries = 0; tries < mostConfirmations; tries++) {
    if (await keepsInTwo(kept, 'confirmation'))
      return { ratePerSecond: kept, confirmed: true, brokenAt: broken };
    broken = kept;
    kept = Math.max(leastRate, rounded(kept * stepDown));
  }
  return { ratePerSecond: kept, confirmed: false, brokenAt: broken };
}

/** To three figures, which people can read. */
function rounded(rate: number): number {
  return Math.max(1, Number(rate.toPrecision(3)));
}
