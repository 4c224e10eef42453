import type { TranscoderContext, TranscoderLimits } from './transcoder.ts';
import { TurnCounter } from './turn-budget.ts';

/** So much that nothing is refused. */
export const wideLimits: TranscoderLimits = { maxEncodingBytes: 1 << 20, maxDecodingBytes: 1 << 20 };

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
    turns: new TurnCounter(),
    ...limits,
  };
}
