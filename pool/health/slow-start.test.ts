import { describe, expect, it } from 'vitest';
import { SlowStart } from './slow-start.ts';

describe('SlowStart', () => {
  it('holds nothing back until it is told to', () => {
    const slowStart = new SlowStart({ durationMs: 1_000 });
    expect(slowStart.tick(1)).toBe(false);
    expect(slowStart.active).toBe(false);
    expect(slowStart.allows(127, 128)).toBe(true);
  });

  it('lets the share of the capacity grow with time', () => {
    const slowStart = new SlowStart({ durationMs: 1_000 });
    slowStart.begin(5_000);
    const allowed = (): number =>
      [...Array(128).keys()].filter((inFlight) => slowStart.allows(inFlight, 128)).length;
    expect(allowed()).toBe(13);
    slowStart.tick(5_500);
    expect(allowed()).toBe(64);
    slowStart.tick(6_000);
    expect(allowed()).toBe(128);
    expect(slowStart.active).toBe(false);
  });

  it('always lets one request through, however small the capacity', () => {
    const slowStart = new SlowStart({ durationMs: 1_000 });
    slowStart.begin(0);
    expect(slowStart.allows(0, 1)).toBe(true);
  });

  it('asks once, then twice as much after each while of silence, until something is answered', () => {
    const slowStart = new SlowStart({ durationMs: 1_000 });
    slowStart.beginCarefully();
    const askAll = (): number => {
      let asked = 0;
      for (; slowStart.allows(0, 128) && asked < 1_000; asked++) slowStart.asked();
      return asked;
    };
    const steps = [askAll()];
    for (let nowMs = 100; nowMs <= 1_500; nowMs += 100) {
      slowStart.tick(nowMs);
      steps.push(askAll());
    }
    expect(steps).toEqual([1, 0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 0, 8, 0, 0, 16]);
    slowStart.beginCarefully();
    slowStart.answered();
    expect(slowStart.careful).toBe(false);
    expect(askAll()).toBe(1_000);
    slowStart.beginCarefully();
    // Nothing was asked: time alone lifts nothing.
    for (let n = 0; n < 40; n++) slowStart.tick(n * 100);
    expect(askAll()).toBe(1);
  });
});
