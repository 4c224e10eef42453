import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { barText, connectingStep, loadingStep, Progress } from './progress.ts';

function stream(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  return { written, isTTY, write, ...(columns === undefined ? {} : { columns }) };
}

describe('progress', () => {
  it('is a bar with figures, as wide as the terminal at most', () => {
    const step = connectingStep(5_000, 0, 10_000, 1_250);
    expect(barText(step, 100)).toBe(
      'connecting [############............] 5,000 of 10,000 · 4,000/s · 2 s left',
    );
    for (const columns of [1, 2, 10, 40, 66, 80])
      expect(barText(step, columns).length).toBeLessThan(Math.max(2, columns));
    expect(barText(step, 50)).toContain('5,000 of 10,000');
  });

  it('is a line every five seconds where there is no terminal, and one at each beginning', () => {
    const plain = stream(false);
    let nowMs = 0;
    const progress = new Progress(plain, () => nowMs);
    for (; nowMs < 12_000; nowMs += 100) progress.show(connectingStep(nowMs, 0, 20_000, nowMs));
    progress.show({ what: 'loading', details: ['9 s left'] });
    expect(plain.written).toHaveLength(4);
    expect(plain.written.join('')).not.toContain('\x1b');
    expect(plain.written.at(-1)).toBe('loading: 9 s left\n');
  });

  it('is overwritten on a terminal, a few times a second', () => {
    const terminal = stream(true, 80);
    let nowMs = 0;
    const progress = new Progress(terminal, () => nowMs);
    for (; nowMs < 1_000; nowMs += 10) progress.show({ what: 'loading', details: [String(nowMs)] });
    expect(terminal.written.length).toBe(5);
    const unknown = stream(true, 0);
    new Progress(unknown, () => 0).show(connectingStep(5_000, 0, 10_000, 1_250));
    expect(unknown.written.join('')).toContain('5,000 of 10,000');
    expect(terminal.written.every((text) => text.startsWith('\r\x1b[K'))).toBe(true);
  });

  it('says who failed, and neither a rate nor an end before anybody is there', () => {
    expect(connectingStep(0, 0, 100, 0).details).toEqual(['0 of 100', '0/s']);
    expect(connectingStep(95, 5, 100, 1_000).details).toEqual([
      ...['95 of 100', '100/s', '5 failed', 'all there'],
    ]);
  });

  it('has what the last second of a load was, and waits for its last replies', () => {
    const latency = new LatencyHistogram();
    latency.record(2_000, 500);
    const last = { at: 3, sent: 500, received: 500, failed: 0, owed: 2, latency };
    const moment = { name: 'loading', durationMs: 10_000, errors: 1 };
    expect(loadingStep({ ...moment, elapsedMs: 3_200, last }).details).toEqual([
      ...['7 s left', '500/s', 'p99 2.00 ms', '1 errors'],
    ]);
    expect(loadingStep({ ...moment, elapsedMs: 10_100, last: undefined }).details).toEqual([
      ...['waiting for the last replies', '1 errors'],
    ]);
  });
});
