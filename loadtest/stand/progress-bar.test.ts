import { describe, expect, it } from 'vitest';
import { barText, ProgressBar, type Step } from './progress-bar.ts';

const step: Step = { what: 'connecting', share: 0.5, details: ['5,000 of 10,000', '4,000/s', '2 s left'] };

function stream(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const write = (text: string): boolean => written.push(text) > 0;
  return { written, isTTY, write, ...(columns === undefined ? {} : { columns }) };
}

describe('a progress bar', () => {
  it('has figures beside it, as many as fit, and never half of one', () => {
    expect(barText(step, 100)).toBe(
      'connecting ████████████░░░░░░░░░░░░  50 % · 5,000 of 10,000 · 4,000/s · 2 s left',
    );
    for (let columns = 12; columns < 130; columns++) {
      const text = barText(step, columns);
      expect(text.length).toBeLessThan(columns);
      expect(text).toMatch(/(connecting|%|10,000|\/s|left)$/);
    }
    expect(barText(step, 50)).toBe('connecting · 50 % · 5,000 of 10,000 · 4,000/s');
    expect(barText(step, 20)).toBe('connecting · 50 %');
    expect(barText({ what: 'starting', details: [] }, 50)).toBe('starting …');
    for (const columns of [1, 2, 5]) expect(barText(step, columns).length).toBe(columns - 1);
  });

  it('is full when all is done, and not before', () => {
    expect(barText({ ...step, share: 0.999 }, 100)).toContain('░  99 %');
    expect(barText({ ...step, share: 1.2 }, 100)).toContain('█ 100 %');
  });

  it('is a line every five seconds where there is no terminal, and one at each beginning', () => {
    const plain = stream(false);
    let nowMs = 0;
    const progress = new ProgressBar(plain, () => nowMs);
    for (; nowMs < 12_000; nowMs += 100) progress.show(step);
    progress.show({ what: 'loading', details: ['9 s left'] });
    progress.show({ what: 'ending', details: [] });
    expect(plain.written).toEqual([
      ...Array<string>(3).fill('connecting: 50 %, 5,000 of 10,000, 4,000/s, 2 s left\n'),
      ...['loading: 9 s left\n', 'ending …\n'],
    ]);
  });

  it('is overwritten on a terminal, a few times a second', () => {
    const terminal = stream(true, 80);
    let nowMs = 0;
    const progress = new ProgressBar(terminal, () => nowMs);
    for (; nowMs < 1_000; nowMs += 10) progress.show({ what: 'loading', details: [String(nowMs)] });
    expect(terminal.written.length).toBe(5);
    expect(terminal.written.every((text) => text.startsWith('\r\x1b[K'))).toBe(true);
    const unknown = stream(true, 0);
    new ProgressBar(unknown, () => 0).show(step);
    expect(unknown.written.join('')).toContain('5,000 of 10,000');
  });
});
