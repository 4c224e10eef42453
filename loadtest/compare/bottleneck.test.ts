import { describe, expect, it } from 'vitest';
import { hindranceOf, saturated } from './bottleneck.ts';
import { figuresOf } from './figures.fixture.ts';

const cores = (used: Parameters<typeof figuresOf>[2]) => figuresOf('x', 1000, used);

describe('saturated', () => {
  it('names each process that used its whole core', () => {
    expect(saturated(cores({ loader: 0.99, server: 0.95 }), 2)).toBe('loader + server');
  });

  it('names the machine when its cores are used up together', () => {
    expect(saturated(cores({ loader: 0.8, server: 0.8, backend: 0.35 }), 2)).toBe('the machine');
    expect(saturated(cores({ loader: 0.8, server: 0.8, backend: 0.35 }), 4)).toBe('none');
    expect(saturated(cores({}), 2)).toBe('none');
  });
});

describe('hindranceOf', () => {
  it.each([
    ['the server alone was full', { loader: 0.7, server: 0.99 }, undefined],
    ['loader and server were full, each on a core of its own', { loader: 0.97, server: 0.97 }, undefined],
    ['nothing was full: a matter of latency', { loader: 0.3, server: 0.3 }, undefined],
    ['they shared a machine that was full', { loader: 0.75, server: 0.8, backend: 0.42 }, undefined],
    ['server and backend were full', { loader: 0.5, server: 0.98, backend: 0.98 }, undefined],
    ['the loader was full and the server idle at times', { loader: 0.98, server: 0.86 }, 'loader'],
    // The other core was full as well, but with server and backend together: a faster loader could have asked for more of it.
    ['the loader was full in a machine that was full', { loader: 0.99, server: 0.6, backend: 0.4 }, 'loader'],
    ['the backend was full and the server not', { loader: 0.4, server: 0.6, backend: 0.97 }, 'backend'],
    ['other programs used the machine', { loader: 0.5, server: 0.99, others: 0.2 }, 'others'],
    ['other programs used a little', { loader: 0.5, server: 0.99, others: 0.08 }, undefined],
  ])('where %s', (_, used, expected) => {
    expect(hindranceOf(cores(used))).toBe(expected);
  });
});
