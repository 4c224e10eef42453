import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Turn } from './turn.ts';

describe('Turn', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('flushes what was scheduled once, in order, at the end of the turn', () => {
    const flushed: string[] = [];
    const turn = new Turn({ onError: fail });
    for (const name of ['a', 'b', 'c']) turn.schedule({ flush: () => flushed.push(name) });
    expect(flushed).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(flushed).toEqual(['a', 'b', 'c']);
    vi.advanceTimersByTime(10);
    expect(flushed).toHaveLength(3);
  });

  it('flushes in the next turn what was scheduled while it flushes', () => {
    const flushed: number[] = [];
    const turn = new Turn({ onError: fail });
    const item = {
      flush: (): void => {
        flushed.push(flushed.length);
        if (flushed.length < 3) turn.schedule(item);
      },
    };
    turn.schedule(item);
    vi.runOnlyPendingTimers();
    expect(flushed).toEqual([0]);
    vi.runAllTimers();
    expect(flushed).toEqual([0, 1, 2]);
  });

  it('flushes first what packs for others, which then are flushed in the same turn', () => {
    const flushed: string[] = [];
    const turn = new Turn({ onError: fail });
    turn.schedule({ flush: () => flushed.push('scheduled before') });
    turn.scheduleFirst({
      flush: () => {
        flushed.push('packed');
        turn.schedule({ flush: () => flushed.push('scheduled by the packer') });
      },
    });
    vi.runOnlyPendingTimers();
    expect(flushed).toEqual(['packed', 'scheduled before', 'scheduled by the packer']);
    vi.runAllTimers();
    expect(flushed).toHaveLength(3);
  });

  it('flushes the others when one throws, and tells', () => {
    const errors: unknown[] = [];
    const flush = vi.fn();
    const turn = new Turn({ onError: (error) => errors.push(error) });
    const fault = new Error('bug: on purpose');
    turn.schedule({
      flush: () => {
        throw fault;
      },
    });
    turn.schedule({ flush });
    vi.advanceTimersByTime(0);
    expect(errors).toEqual([fault]);
    expect(flush).toHaveBeenCalledTimes(1);
  });
});

function fail(error: unknown): void {
  throw error;
}
