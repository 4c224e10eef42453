import type { Evidence } from '../evidence.ts';

/** What was expected, what was seen; `passed` is null where it cannot be judged, and `measured` says why. */
export interface Judgement {
  readonly expectation: string;
  readonly measured: string;
  readonly passed: boolean | null;
}

/** Judges one expectation of a scenario by what was seen. */
export type Judge<Parameters> = (evidence: Evidence, parameters: Parameters) => Judgement;

/** Why what only the gateway's own figures show is not judged. */
export const notOurs = 'not judged: needs a gateway that this command has started';

/** Returns milliseconds in a form for reading. */
export function inMs(us: number): string {
  return `${(us / 1_000).toFixed(us < 10_000 ? 2 : 0)} ms`;
}
