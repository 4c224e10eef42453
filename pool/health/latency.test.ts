import { describe, expect, it } from 'vitest';
import { Latency } from './latency.ts';

describe('Latency', () => {
  it('is 0 until something was answered, and never again while answers come', () => {
    const latency = new Latency();
    expect(latency.ms).toBe(0);
    latency.decay(100);
    expect(latency.ms).toBe(0);
    latency.observe(0, 200);
    expect(latency.ms).toBeGreaterThan(0);
  });

  it('follows a rise at once and a fall slowly', () => {
    const latency = new Latency();
    latency.observe(5, 1_000);
    latency.observe(500, 1_100);
    expect(latency.ms).toBe(500);
    latency.observe(5, 1_200);
    expect(latency.ms).toBeGreaterThan(490);
    for (let nowMs = 1_300; nowMs < 120_000; nowMs += 100) latency.observe(5, nowMs);
    expect(latency.ms).toBeCloseTo(5, 1);
  });

  it('takes what was asked and never answered for slower than all that answers', () => {
    const latency = new Latency();
    latency.asked();
    latency.waiting(300, 1_000);
    latency.decay(10_000);
    expect(latency.ms).toBeGreaterThan(1e6);
    latency.observe(7, 10_000);
    expect(latency.ms).toBe(7);
    latency.asked();
    latency.forgetAsked();
    expect(latency.ms).toBe(7);
    const lost = new Latency();
    lost.asked();
    lost.forgetAsked();
    expect(lost.ms).toBe(0);
  });

  it('counts the age of what is unanswered, before anything times out', () => {
    const latency = new Latency();
    latency.observe(1, 2_000);
    latency.waiting(50, 2_000);
    latency.waiting(900, 2_100);
    expect(latency.ms).toBe(900);
  });

  it('shrinks while nothing is heard, by the same whether asked often or seldom', () => {
    const [often, seldom] = [new Latency(), new Latency()];
    for (const latency of [often, seldom]) latency.observe(1_000, 0);
    for (let nowMs = 100; nowMs <= 20_000; nowMs += 100) often.decay(nowMs);
    seldom.decay(20_000);
    expect(often.ms).toBeCloseTo(1_000 / Math.E ** 2, 6);
    expect(seldom.ms).toBeCloseTo(often.ms, 6);
    seldom.decay(1_000_000);
    expect(seldom.ms).toBe(0);
  });
});
