const readings = 8;

/** The clocks that are compared; those of this thread unless a test says otherwise. */
export interface ThreadClocks {
  /** The thread's own, in milliseconds. */
  readonly now: () => number;
  /** The same in all threads of the process, in nanoseconds. */
  readonly commonNs: () => bigint;
}

const clocksOfThread: ThreadClocks = {
  now: () => performance.now(),
  commonNs: () => process.hrtime.bigint(),
};

/**
 * What to add to a time of this thread to have the milliseconds since `epochNs`, a time of `process.hrtime.bigint()`. Never
 * more than the true figure, so that no thread is ahead, and less by under a microsecond as a rule.
 */
export function clockOffsetMs(epochNs: bigint, { now, commonNs } = clocksOfThread): number {
  let offsetMs = -Infinity;
  for (let reading = 0; reading < readings; reading++) {
    // Read first, the common clock is behind by the time that the other reading takes.
    const sinceEpochNs = commonNs() - epochNs;
    offsetMs = Math.max(offsetMs, Number(sinceEpochNs) / 1e6 - now());
  }
  return offsetMs;
}
