import { describe, expect, it } from 'vitest';
import { anUpstream, aPool } from '../admin/pool-report.fixture.ts';
import { fittedPicture, wholePicture } from './picture.ts';
import { blocks } from './sparkline.ts';
import { paint, type Line } from './spans.ts';
import { aSample, aState, badUpstream, clientsOf } from './top-state.fixture.ts';
import { TopState } from './top-state.ts';

const textOf = (lines: readonly Line[], width: number): string[] =>
  lines.map((line) => paint(line, width, { colours: false, unicode: true }));
const whole = (state: TopState, width = 100): string[] =>
  textOf(wholePicture(state, { width, bars: blocks }), width);
const fitted = (state: TopState, width: number, height: number): string[] =>
  textOf(fittedPicture(state, { width, bars: blocks }, height), width);

/** The words of the line that begins with these. */
function row(lines: readonly string[], begin: string): string {
  return lines.find((line) => line.startsWith(begin))?.replaceAll(/ +/g, ' ') ?? `no ${begin}`;
}

describe('the picture', () => {
  it('has all that the gateway said', () => {
    const lines = whole(aState());
    expect(lines[0]).toMatch(/^wsluice 1\.2\.3 {2}http:\/\/127\.0\.0\.1:8081 +up 1 h 2 min {2}\d\d:\d\d:03$/);
    expect(lines[1]).toBe('ok');
    expect(row(lines, 'clients')).toMatch(/^clients 1,024 of 16\.0k ███$/);
    expect(row(lines, 'messages')).toMatch(/^messages 12\.3k\/s in 12\.1k\/s out ███$/);
    expect(row(lines, 'bytes')).toMatch(/^bytes 1\.24 MB\/s in 2\.38 MB\/s out ███$/);
    expect(row(lines, 'latency')).toMatch(/^latency p50 0\.42 ms p95 2\.10 ms p99 4\.50 ms ███$/);
    expect(row(lines, 'errors')).toMatch(/^errors 3\/s refused 2\/s ███$/);
    expect(row(lines, 'limits')).toMatch(/^limits ip 12\/s ███$/);
    expect(row(lines, 'codecs')).toBe('codecs zstd 3.81 MB/s, 75 % saved');
    expect(row(lines, 'process')).toMatch(/^process 0\.50 cores loop 25 % late 1\.50 ms ███$/);
    expect(row(lines, 'memory')).toBe('memory 95.4 MB of 3.73 GB heap 19.1 MB of 1.86 GB');
    expect(row(lines, 'total')).toBe('total 123k requests average 0.50 ms p99 4.25 ms slow 7 errors 2 %');
    expect(row(lines, 'main')).toBe('main request ok 40 3/10 2 2 0 100 3');
    expect(row(lines, 'raw')).toBe('raw session embedded 40 - 2 2 0 - -');
    expect(row(lines, 'ws:')).toBe('ws://10.0.0.1:9001/ main up 1 min 0 s 3 2 closed -');
    expect(row(lines, '1 10.')).toBe('1 10.0.0.7 main 10 25 25.0 KB 1 1 min 3 s');
    expect(row(lines, '2 10.')).toBe('2 10.0.0.7 main 0 3 3.00 KB 1 1 min 3 s');
  });

  it('has upstreams that are not well first, and says what went wrong', () => {
    const lines = whole(aState({ pools: [aPool({ upstreams: [anUpstream(), badUpstream] })] }), 160);
    const upstreams = lines
      .filter((line) => line.startsWith('ws:'))
      .map((line) => line.replaceAll(/ +/g, ' '));
    expect(upstreams[0]).toBe(
      'ws://10.0.0.2:9001/ main breaker-open 5 s 3 2 open 1 s ago: connect ECONNREFUSED 10.0.0.2:9001',
    );
    expect(upstreams[1]).toContain('up');
  });

  it.each([
    [
      { status: 'degraded', problems: ['pool main is paused', 'x', 'y'] },
      'degraded: pool main is paused, and 2 more',
    ],
    [{ status: 'down', problems: ['pool main has no upstream'] }, 'down: pool main has no upstream'],
  ])('says what is not well: %j', (health, line) => {
    const state = aState();
    state.health = { ...state.health!, ...health };
    expect(whole(state)[1]).toBe(line);
  });

  it('says when the gateway drains, and when it is not heard', () => {
    const state = aState({ draining: true });
    expect(whole(state)[1]).toBe('draining: nobody new is let in');
    state.lost = 'nothing listens there (ECONNREFUSED)';
    expect(whole(state)[1]).toBe('not heard: nothing listens there (ECONNREFUSED)');
    expect(row(whole(state), 'clients'), 'what was known last').toContain('1,024');
  });

  it('has something to say before the first second', () => {
    expect(whole(new TopState('http://a'))).toEqual(['wsluice  http://a', 'waiting for the first second …']);
  });

  it('says that there were no replies, refusals or codecs', () => {
    const lines = whole(aState({ latencyMs: null, refusedPerSecond: { ip: 0 }, codecs: {} }));
    expect(row(lines, 'latency')).toContain('no replies');
    expect(row(lines, 'limits')).toContain('nothing refused');
    expect(row(lines, 'codecs')).toContain('nothing packed');
  });
});

describe('on a screen', () => {
  const busy = (): TopState => {
    const upstreams = Array.from({ length: 40 }, (_, n) =>
      anUpstream({ upstream: `ws://10.0.1.${n}:9001/some/path` }),
    );
    const state = aState({
      pools: Array.from({ length: 9 }, (_, n) => aPool({ name: `pool-${n}`, upstreams })),
    });
    state.onClients(clientsOf(...Array.from({ length: 50 }, (_, n) => n)), 4_000);
    return state;
  };

  it.each([
    [60, 20],
    [80, 24],
    [100, 40],
    [200, 80],
    [20, 5],
    [1, 1],
  ])('fits into %i × %i', (width, height) => {
    for (const state of [busy(), aState(), new TopState('http://a')]) {
      const lines = fitted(state, width, height);
      expect(lines.length).toBe(height);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
      if (width >= 60) expect(lines.at(-1)).toContain('q quit');
    }
  });

  it('has some of every table where there is room for a part', () => {
    const lines = fitted(busy(), 100, 40);
    for (const title of ['POOL', 'UPSTREAM', 'CLIENT']) expect(row(lines, title)).not.toContain('no ');
    expect(lines.filter((line) => /^… \d+ more$/.test(line)).length).toBe(2);
  });

  it('keeps what matters most at 60 columns', () => {
    const lines = fitted(aState({ pools: [aPool({ upstreams: [badUpstream] })] }), 60, 30);
    expect(row(lines, 'latency')).toContain('p99');
    expect(row(lines, 'POOL')).toMatch(/STATE.*CONNS.*IN FLIGHT/);
    expect(row(lines, 'ws:')).toMatch(/^ws:\/\/10\.0\.0\.2:9001\/ breaker-open/);
    expect(row(lines, 'CLIENT')).toContain('MESSAGES');
  });
});

describe('what is known', () => {
  it('is of five minutes at most', () => {
    const state = aState();
    for (let n = 4; n < 900; n++) state.onSample(aSample(n));
    expect(state.seconds.length).toBe(300);
  });

  it('has no rates across a restart of the gateway', () => {
    const state = aState();
    const [pool] = state.latest!.pools;
    expect(state.poolRate(pool!, ({ totals }) => totals.accepted)).toBe(100);
    state.onHistory([]);
    state.onSample(aSample(1));
    expect(state.poolRate(pool!, ({ totals }) => totals.accepted)).toBeNaN();
  });
});
