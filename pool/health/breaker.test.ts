import { describe, expect, it } from 'vitest';
import { Breaker, BreakerState } from './breaker.ts';

const settings = { failureThreshold: 3, successThreshold: 2, resetTimeoutMs: 1_000 };

function opened(): Breaker {
  const breaker = new Breaker(settings);
  for (const atMs of [1, 2, 3]) breaker.failed(atMs, atMs);
  return breaker;
}

function halfOpened(): Breaker {
  const breaker = opened();
  breaker.tick(1_003);
  return breaker;
}

describe('Breaker', () => {
  it('opens after so many failures in a row, and not when a success is among them', () => {
    const breaker = new Breaker(settings);
    for (const atMs of [1, 2]) breaker.failed(atMs, atMs);
    breaker.succeeded(3, 3);
    for (const atMs of [4, 5]) breaker.failed(atMs, atMs);
    expect(breaker.state).toBe(BreakerState.closed);
    breaker.failed(6, 6);
    expect(breaker.state).toBe(BreakerState.open);
    expect(breaker.admits).toBe(false);
    expect(breaker.hopeful).toBe(false);
    expect(breaker.retryAtMs).toBe(1_006);
  });

  it('lets nothing through while open, whatever comes back of what began before', () => {
    const breaker = opened();
    breaker.succeeded(2, 500);
    breaker.failed(2, 900);
    breaker.tick(1_002);
    expect(breaker.state).toBe(BreakerState.open);
    expect(breaker.retryAtMs).toBe(1_003);
  });

  it('lets one probe through when its time has come, and closes after enough of them', () => {
    const breaker = halfOpened();
    expect(breaker.state).toBe(BreakerState.halfOpen);
    expect(breaker.admits).toBe(true);
    expect(breaker.began(1_100)).toBe(true);
    expect(breaker.admits).toBe(false);
    expect(breaker.hopeful).toBe(false);
    breaker.succeeded(1_100, 1_110);
    expect(breaker.state).toBe(BreakerState.halfOpen);
    expect(breaker.admits).toBe(true);
    breaker.began(1_120);
    expect(breaker.hopeful).toBe(true);
    breaker.succeeded(1_120, 1_130);
    expect(breaker.state).toBe(BreakerState.closed);
    expect(breaker.began(1_140)).toBe(false);
  });

  it('opens again when a probe fails, for the full time', () => {
    const breaker = halfOpened();
    breaker.began(1_100);
    breaker.failed(1_100, 1_200);
    expect(breaker.state).toBe(BreakerState.open);
    expect(breaker.retryAtMs).toBe(2_200);
  });

  it('hears of the probe alone while half-open', () => {
    const breaker = halfOpened();
    breaker.failed(2, 1_050);
    breaker.began(1_100);
    breaker.succeeded(2, 1_150);
    breaker.failed(2, 1_150);
    expect(breaker.state).toBe(BreakerState.halfOpen);
    expect(breaker.admits).toBe(false);
  });

  it('opens again when a connection is lost, with a probe out or not', () => {
    const breaker = halfOpened();
    breaker.lost(1_050);
    expect(breaker.state).toBe(BreakerState.open);
    breaker.lost(1_060);
    expect(breaker.retryAtMs).toBe(2_050);
  });

  it('lets another probe go when one was given up', () => {
    const breaker = halfOpened();
    breaker.began(1_100);
    breaker.abandoned();
    expect(breaker.admits).toBe(true);
  });

  it('does not count, once closed again, what began before', () => {
    const breaker = halfOpened();
    for (const atMs of [1_100, 1_200]) {
      breaker.began(atMs);
      breaker.succeeded(atMs, atMs + 1);
    }
    for (let n = 0; n < 10; n++) breaker.failed(3, 1_300);
    expect(breaker.state).toBe(BreakerState.closed);
  });

  it('tells of each change of state once', () => {
    const changes: [number, number][] = [];
    const breaker = new Breaker({ ...settings, failureThreshold: 1, successThreshold: 1 });
    breaker.onChange = (state, nowMs) => changes.push([state, nowMs]);
    for (let atMs = 10; atMs < 15; atMs++) breaker.failed(atMs, atMs);
    for (let atMs = 1_000; atMs < 1_020; atMs++) breaker.tick(atMs);
    breaker.began(1_020);
    breaker.succeeded(1_020, 1_021);
    expect(changes).toEqual([
      [BreakerState.open, 10],
      [BreakerState.halfOpen, 1_010],
      [BreakerState.closed, 1_021],
    ]);
  });
});
