/** What is used of a sliding window: two counters, as in SlidingWindow, in steps that are a power of two. */
export interface WindowState {
  /** When the current window began, or a block ends: a multiple of 1/4 ms. It may be ahead of now. */
  readonly startMs: number;
  /** log2 of the step that the counters count in. */
  readonly exponent: number;
  readonly previous: number;
  readonly current: number;
}

// 39 bits of start, 5 of exponent, 10 for each counter.
const counterBits = 10;
const exponentShift = 2 * counterBits;
const startBits = 39;
const startShift = 25n;
const lowMask = (1n << startShift) - 1n;
const startsPerMs = 4;
const startRange = 2 ** startBits;

/** What a counter can count to. */
export const mostCount = 2 ** counterBits - 1;
/**
 * Stands for the exponent in a word that refuses everything until its start. Its `current` is what the window before counts
 * from then on, and its `previous` the exponent of that.
 */
export const blockExponent = 31;

/** The exponent at which a counter can count to this. */
export function exponentFor(amount: number): number {
  return Math.min(blockExponent - 1, Math.max(0, Math.ceil(Math.log2(amount / mostCount))));
}

/** The last time that can be a start, at or before this one. */
export function startBefore(timeMs: number): number {
  return Math.floor(timeMs * startsPerMs) / startsPerMs;
}

/** The first time that can be a start, at or after this one. */
export function startAfter(timeMs: number): number {
  return Math.ceil(timeMs * startsPerMs) / startsPerMs;
}

/** The word for this state; its start is kept modulo 4 years. */
export function packWindow({ startMs, exponent, previous, current }: WindowState): bigint {
  const low = (exponent << exponentShift) | (previous << counterBits) | current;
  return BigInt.asIntN(64, (BigInt(startMs * startsPerMs) << startShift) | BigInt(low));
}

/** The state that was last written; undefined when nothing was used then. A start over 2 years away is taken for a nearer one. */
export function unpackWindow(word: bigint, nowMs: number): WindowState | undefined {
  const low = Number(word & lowMask);
  const exponent = low >> exponentShift;
  const previous = (low >> counterBits) & mostCount;
  const current = low & mostCount;
  if (previous + current === 0 && exponent !== blockExponent) return undefined;
  const today = Math.floor(nowMs * startsPerMs);
  const ahead = (Number(BigInt.asUintN(startBits, word >> startShift)) - today) % startRange;
  const half = startRange / 2;
  const wrapped = ahead >= half ? ahead - startRange : ahead < -half ? ahead + startRange : ahead;
  return { startMs: (today + wrapped) / startsPerMs, exponent, previous, current };
}

/** The state as it is now, its window the one that `nowMs` is in; undefined when nothing is used any more. */
export function windowAt(word: bigint, nowMs: number, windowMs: number): WindowState | undefined {
  const state = unpackWindow(word, nowMs);
  return state && slide(state, nowMs, windowMs);
}

/** What becomes of the state until then; undefined when nothing is used any more. */
export function slide(state: WindowState, nowMs: number, windowMs: number): WindowState | undefined {
  const elapsedMs = nowMs - state.startMs;
  const { startMs, exponent, previous, current } = state;
  if (exponent === blockExponent) {
    if (elapsedMs < 0) return state;
    if (elapsedMs >= windowMs || current === 0) return undefined;
    return { startMs, exponent: previous, previous: current, current: 0 };
  }
  if (elapsedMs < windowMs) return state;
  if (elapsedMs >= 2 * windowMs || current === 0) return undefined;
  return { startMs: startMs + windowMs, exponent, previous: current, current: 0 };
}

/** The state in steps of at least this exponent. */
export function inStepsOf(state: WindowState, exponent: number): WindowState {
  if (state.exponent >= exponent) return state;
  const steps = 2 ** (exponent - state.exponent);
  const { startMs, previous, current } = state;
  return { startMs, exponent, previous: Math.ceil(previous / steps), current: Math.ceil(current / steps) };
}

/** A state that is at least as limited as each of two; a block counts like the full window before its end. */
export function mergeWindows(
  one: WindowState,
  other: WindowState,
  full: number,
  windowMs: number,
): WindowState {
  const isBlock = [one, other].map(({ exponent }) => exponent === blockExponent);
  if (isBlock[0] === true && isBlock[1] === true) {
    const exponent = Math.max(one.previous, other.previous);
    const counts = [one, other].map(({ previous, current }) =>
      Math.ceil(current * 2 ** (previous - exponent)),
    );
    const startMs = Math.max(one.startMs, other.startMs);
    return { startMs, exponent: blockExponent, previous: exponent, current: Math.max(...counts) };
  }
  const exponent =
    isBlock[0] === true ? other.exponent : Math.max(one.exponent, isBlock[1] ? 0 : other.exponent);
  const [a, b] = [one, other].map((state) =>
    state.exponent === blockExponent
      ? { startMs: state.startMs - windowMs, exponent, previous: 0, current: full }
      : inStepsOf(state, exponent),
  ) as [WindowState, WindowState];
  return {
    startMs: Math.max(a.startMs, b.startMs),
    exponent,
    previous: Math.max(a.previous, b.previous),
    current: Math.max(a.current, b.current),
  };
}
