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

  it('asks once, then twice as much with each tick, until something is answered', () => {
    const slowStart = new SlowStart({ durationMs: 1_000 });
    slowStart.beginCarefully();
    const allowed = (): number =>
      [...Array(128).keys()].filter((inFlight) => slowStart.allows(inFlight, 128)).length;
    const steps = [allowed()];
    for (let n = 1; n <= 8; n++) {
      slowStart.tick(n * 100);
      steps.push(allowed());
    }
    expect(steps).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 128]);
    slowStart.beginCarefully();
    slowStart.answered();
    expect(slowStart.careful).toBe(false);
    expect(allowed()).toBe(128);
    for (let n = 0; n < 40; n++) slowStart.tick(n * 100);
    slowStart.beginCarefully();
    for (let n = 0; n < 40; n++) slowStart.tick(n * 100);
    expect(slowStart.active).toBe(false);
  });
});
