import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Alarm } from './alarm.ts';

describe('Alarm', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('rings once, at the earliest of the times, and can be set again', () => {
    const rings: number[] = [];
    const alarm = new Alarm({ now: () => Date.now(), onRing: () => rings.push(Date.now()) });
    alarm.set(1_500);
    alarm.set(1_100.5);
    alarm.set(1_300);
    vi.advanceTimersByTime(1_000);
    expect(rings).toEqual([1_101]);
    alarm.set(1_900);
    vi.advanceTimersByTime(1);
    expect(rings).toEqual([1_101, 2_001]);
  });

  it('is silent once it was stopped', () => {
    const ring = vi.fn();
    const alarm = new Alarm({ now: () => Date.now(), onRing: ring });
    alarm.set(1_500);
    alarm.stop();
    vi.advanceTimersByTime(1_000);
    expect(ring).not.toHaveBeenCalled();
  });
});
