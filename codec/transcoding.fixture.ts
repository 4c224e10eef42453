import type { TranscoderContext } from './transcoder.ts';

/** What transcoders share in a test: jobs run at once, and bugs go to the handler. */
export function newTranscoding(
  onError: (error: unknown) => void,
  limits: Partial<TranscoderContext> = {},
): TranscoderContext {
  return {
    runInPool: (job) => job(),
    maxPendingBytes: 1 << 20,
    maxTotalPendingBytes: 1 << 24,
    pendingBytes: 0,
    onError,
    ...limits,
  };
}
