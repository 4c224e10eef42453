import { ThreadLimiter } from './thread-limiter.ts';
import { createThreadMemory, type ThreadMemory, type ThreadMemoryOptions } from './thread-memory.ts';

/** A memory for one key at 10/s with a burst of 10, unless said otherwise. */
export function memoryOf({
  strategy = 'token-bucket',
  cells = 1,
  ...settings
}: Partial<Omit<ThreadMemoryOptions, 'settings'> & ThreadMemoryOptions['settings']> = {}): ThreadMemory {
  return createThreadMemory({
    strategy,
    cells,
    settings: { ratePerSecond: 10, burst: 10, windowMs: 1000, ...settings },
  });
}

/** A limiter whose times are those of the memory. */
export function limiterOn(memory: ThreadMemory, slots = 4): ThreadLimiter {
  return new ThreadLimiter(memory, { slots, now: () => 0, clockOffsetMs: 0 });
}

/** Takes 1 until it is refused, or `most` times; returns how often that went well. */
export function takeAll(limiter: ThreadLimiter, slot: number, nowMs: number, most = Infinity): number {
  let taken = 0;
  while (taken < most && limiter.take(slot, 1, nowMs) === 0) taken++;
  return taken;
}
