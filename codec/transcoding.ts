import pLimit from 'p-limit';
import type { TranscoderContext } from './transcoder.ts';
import { TurnCounter } from './turn-budget.ts';

export interface TranscodingOptions {
  /** Messages that may be in the thread pool at the same time. */
  readonly threads: number;
  /** Bytes that may wait for it, by connection and direction. */
  readonly maxPendingBytes: number;
  /** Told of bugs: something threw where nothing may. */
  readonly onError: (error: unknown) => void;
}

/** In all connections together as much may wait for the thread pool as in this many. */
const fullLanes = 64;

/** What the transcoders of one process share. */
export function createTranscoding(options: TranscodingOptions): TranscoderContext {
  const { threads, maxPendingBytes, onError } = options;
  return {
    runInPool: pLimit(threads),
    maxPendingBytes,
    maxTotalPendingBytes: fullLanes * maxPendingBytes,
    pendingBytes: 0,
    onError,
    turns: new TurnCounter(),
  };
}
