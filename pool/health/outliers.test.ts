import { beforeEach, describe, expect, it } from 'vitest';
import { Endpoint } from '../endpoint.ts';
import { logTo } from '../log.fixture.ts';
import { Outliers } from './outliers.ts';

const settings = {
  consecutiveFailures: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedShare: 0.5,
  slowStartMs: 10_000,
  errorCodes: [-32603],
};

let endpoints: Endpoint[];
let outliers: Outliers;
let lines: string[];

function setUp(count: number): void {
  endpoints = Array.from(
    { length: count },
    (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: false, slowStartMs: 10_000 }),
  );
  lines = [];
  outliers = new Outliers({
    pool: 'main',
    endpoints: () => endpoints,
    settings,
    random: () => 0.5,
    log: logTo(lines),
  });
}

function fail(index: number, nowMs: number, times = settings.consecutiveFailures): void {
  for (let n = 0; n < times; n++) endpoints[index]!.answered(nowMs, nowMs, true);
}

const ejected = (): number[] => [...endpoints.keys()].filter((n) => endpoints[n]!.standing.ejected);

describe('Outliers', () => {
  beforeEach(() => setUp(4));

  it('ejects one that failed so many times in a row, and tells it once', () => {
    fail(0, 1_000, 4);
    expect(ejected()).toEqual([]);
    fail(0, 1_000, 20);
    expect(ejected()).toEqual([0]);
    expect(endpoints[0]!.available).toBe(false);
    expect(lines).toEqual(['upstream ejected: it fails where others do not']);
  });

  it('does not when there was a good answer among the failures', () => {
    for (let n = 0; n < 10; n++) {
      fail(0, 1_000, 4);
      endpoints[0]!.answered(1_000, 1_000, false);
    }
    expect(ejected()).toEqual([]);
  });

  it('counts failures of any kind', () => {
    const [endpoint] = endpoints;
    endpoint!.lost(1_000);
    endpoint!.timedOut(0, 1_000);
    fail(0, 1_000, 3);
    expect(ejected()).toEqual([0]);
  });

  it('ejects half of them at most', () => {
    for (const index of [0, 1, 2]) fail(index, 1_000, 50);
    expect(ejected()).toEqual([0, 1]);
    setUp(3);
    for (const index of [0, 1]) fail(index, 1_000);
    expect(ejected()).toEqual([0]);
    setUp(1);
    fail(0, 1_000, 100);
    expect(ejected()).toEqual([]);
  });

  it('ejects none where all are bad', () => {
    for (let n = 0; n < 100; n++) for (const index of [0, 1, 2, 3]) fail(index, 1_000, 1);
    expect(ejected()).toEqual([]);
  });

  it('takes it back when its time is over, which grows with each ejection', () => {
    let nowMs = 1_000;
    const times: number[] = [];
    for (let n = 0; n < 6; n++) {
      fail(0, nowMs);
      const since = nowMs;
      while (ejected().length > 0) outliers.tick((nowMs += 100));
      times.push(Math.round((nowMs - since) / 1_000));
    }
    expect(times).toEqual([33, 66, 132, 264, 300, 300]);
  });

  it('forgets earlier ejections after a long good time', () => {
    fail(0, 0);
    outliers.tick(33_000);
    fail(0, 400_000);
    outliers.tick(432_900);
    expect(ejected()).toEqual([0]);
    outliers.tick(433_000);
    expect(ejected()).toEqual([]);
  });

  it('keeps it on trial: the next failure ejects it again, a good answer clears it', () => {
    fail(0, 0);
    outliers.tick(33_000);
    fail(0, 33_100, 1);
    expect(ejected()).toEqual([0]);
    outliers.tick(200_000);
    endpoints[0]!.answered(200_000, 200_100, false);
    fail(0, 200_200, 4);
    expect(ejected()).toEqual([]);
  });

  it('does not end an ejection for what is answered meanwhile', () => {
    fail(0, 0);
    endpoints[0]!.answered(0, 100, false);
    outliers.tick(32_900);
    expect(ejected()).toEqual([0]);
  });

  it('starts it slowly', () => {
    fail(0, 0);
    outliers.tick(33_000);
    expect(endpoints[0]!.slowStart.share).toBeCloseTo(0.1);
    endpoints[0]!.slowStart.tick(38_000);
    expect(endpoints[0]!.slowStart.share).toBeCloseTo(0.5);
  });

  it('takes all back at once when nothing better can be reached', () => {
    for (const index of [0, 1]) fail(index, 0);
    endpoints[2]!.failures = 1;
    expect(outliers.tick(100)).toBe(false);
    endpoints[3]!.failures = 1;
    expect(outliers.tick(200)).toBe(true);
    expect(ejected()).toEqual([]);
  });
});
