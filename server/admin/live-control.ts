import type { LiveHistorySample, LiveSample } from '../live/live-sample.ts';

/** What the admin API needs of the sampler. */
export interface LiveControl {
  /** The last five minutes, the oldest second first. */
  readonly history: readonly LiveHistorySample[];
  /** The second that ended last; undefined until one has. */
  readonly latest: LiveHistorySample | undefined;
  /** Calls `watcher` with every sample from now on; returns how to stop that. */
  watch(watcher: (sample: LiveSample) => void): () => void;
}
