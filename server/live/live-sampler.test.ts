import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rejectReasons } from '../close-codes.ts';
import type { LiveSample } from './live-sample.ts';
import { aProcess, SampledWorld } from './live-sampler.fixture.ts';

describe('a live sample', () => {
  it('has the rates of its second, not what came before', () => {
    const world = new SampledWorld();
    world.metrics.received(100);
    world.pass();
    for (let n = 0; n < 3; n++) world.metrics.received(10);
    world.metrics.sent(7);
    world.metrics.error(0);
    world.metrics.error(2);
    world.metrics.rejected(rejectReasons.length - 1);
    world.metrics.connectionOpened();
    world.pass();
    expect(world.sampler.latest).toMatchObject({
      at: 1_700_000_007_000,
      spanMs: 1_000,
      draining: false,
      connections: { open: 1, max: 16_000 },
      perSecond: { received: 3, sent: 1, bytesReceived: 30, bytesSent: 7, errors: 2, rejected: 1 },
      process: aProcess,
    });
  });

  it('has the percentiles of the replies of its second, and none where there was none', () => {
    const world = new SampledWorld();
    for (let n = 0; n < 1_000; n++) world.metrics.latency.observe(5);
    world.pass();
    for (let n = 1; n <= 100; n++) world.metrics.latency.observe(n / 1_000);
    world.pass();
    const { latencyMs, perSecond } = world.sampler.latest!;
    expect(perSecond.replies).toBe(100);
    expect(latencyMs!.p50 / 50).toBeCloseTo(1, 1);
    expect(latencyMs!.p95 / 95).toBeCloseTo(1, 1);
    expect(latencyMs!.p99 / 99).toBeCloseTo(1, 1);
    world.pass();
    expect(world.sampler.latest).toMatchObject({ latencyMs: null, perSecond: { replies: 0 } });
  });

  it('counts as refused what a limit kept out, by scope', () => {
    const decisions: [string, string, number][] = [
      ['ip', 'allowed', 50],
      ['ip', 'rejected', 1],
      ['ip', 'dropped', 2],
      ['ip', 'delayed', 50],
      ['ip', 'dry_run', 50],
      ['method', 'closed', 4],
    ];
    let factor = 1;
    const world = new SampledWorld({
      limits: () => ({ decisions: decisions.map(([scope, decision, n]) => [scope, decision, n * factor]) }),
    });
    factor = 2;
    world.pass(500);
    expect(world.sampler.latest!.refusedPerSecond).toEqual({ ip: 6, method: 8 });
  });

  it('has what went through a codec in both directions', () => {
    const totals = { encodedPlain: 0, encodedPacked: 0, decodedPacked: 0, decodedPlain: 0 };
    const world = new SampledWorld({ codecs: () => [['zstd', totals]] });
    Object.assign(totals, { encodedPlain: 400, encodedPacked: 100, decodedPacked: 30, decodedPlain: 60 });
    world.pass(2_000);
    expect(world.sampler.latest!.codecs).toEqual({ zstd: { plainBytes: 230, packedBytes: 65 } });
  });

  it('adds up to the totals, however late the timer is', () => {
    const spans = fc.array(fc.tuple(fc.integer({ min: 1, max: 5_000 }), fc.nat(50)), { maxLength: 30 });
    fc.assert(
      fc.property(spans, (seconds) => {
        const world = new SampledWorld();
        for (const [spanMs, messages] of seconds) {
          for (let n = 0; n < messages; n++) world.metrics.received(n);
          world.pass(spanMs);
        }
        const { history } = world.sampler;
        const total = history.reduce(
          (sum, { perSecond, spanMs }) => sum + (perSecond.received * spanMs) / 1_000,
          0,
        );
        expect(total).toBeCloseTo(world.metrics.messagesReceived, 6);
      }),
    );
  });
});

describe('LiveSampler', () => {
  it('remembers the last five minutes, the oldest first', () => {
    const world = new SampledWorld();
    expect([world.sampler.history, world.sampler.latest]).toEqual([[], undefined]);
    for (let n = 0; n < 730; n++) world.pass();
    const times = world.sampler.history.map(({ at }) => at);
    expect(times.length).toBe(300);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBe(1_700_000_000_000 + world.nowMs);
    expect(world.sampler.latest!.at).toBe(times.at(-1));
  });

  it('asks for the pools only while somebody watches, once for all', () => {
    let asked = 0;
    const world = new SampledWorld({
      pools: () => {
        asked++;
        return [];
      },
    });
    world.pass();
    const seen: LiveSample[] = [];
    const stops = [1, 2].map(() => world.sampler.watch((sample) => seen.push(sample)));
    world.pass();
    expect([asked, seen.length, seen[0] === seen[1], seen[0]?.pools]).toEqual([1, 2, true, []]);
    for (const stop of stops) stop();
    world.pass();
    expect([asked, seen.length]).toEqual([1, 2]);
    expect(world.sampler.history.some((sample) => 'pools' in sample)).toBe(false);
  });

  it('takes no sample of no time', () => {
    const world = new SampledWorld();
    world.pass(0);
    expect(world.sampler.history).toEqual([]);
  });
});
