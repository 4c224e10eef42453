import type { PoolObserver } from './client-side.ts';

const ignore = (): void => undefined;

/** Wants to know nothing. */
export const noObserver: PoolObserver = {
  replied: ignore,
  upstreamAnswered: ignore,
  refused: ignore,
  slowMs: Infinity,
  slow: ignore,
};
