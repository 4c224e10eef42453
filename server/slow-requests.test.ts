import { expect, test } from 'vitest';
import { LineSampler } from './line-sampler.ts';
import { SlowRequests } from './slow-requests.ts';

function setUp(fromMs: number, perSecond: number) {
  const lines: [object, string][] = [];
  const slow = new SlowRequests({
    pool: 'main',
    fromMs,
    sampler: new LineSampler(perSecond),
    now: () => 5_000,
    log: { warn: (data: object, message: string) => void lines.push([data, message]) },
  });
  return { slow, lines };
}

test('counts each slow request, and logs some of them', () => {
  const { slow, lines } = setUp(1_000, 1);
  expect(slow.slowMs).toBe(1_000);
  slow.slow({ id: 3, requestId: 'r-1' }, 1_234.5, 'ws://a/', 'tools/call');
  for (let i = 0; i < 1_000; i++) slow.slow({ id: 4, requestId: '' }, 2_000, '', '');
  expect(slow.count).toBe(1_001);
  expect(lines).toEqual([
    [
      {
        pool: 'main',
        upstream: 'ws://a/',
        method: 'tools/call',
        durationMs: 1_235,
        client: 3,
        requestId: 'r-1',
        suppressed: 0,
      },
      'slow request',
    ],
  ]);
});

test('finds nothing slow when it is switched off', () => {
  expect(setUp(0, 1).slow.slowMs).toBe(Infinity);
});
