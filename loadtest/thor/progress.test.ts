import { expect, it } from 'vitest';
import { zeroCounts } from '../engine/telemetry-line.ts';
import { loadStep } from './progress.ts';

const plan = { connections: 5_000, messages: 50_000 };
const counts = { ...zeroCounts(), begun: 2_600, over: 2_400, connected: 2_500, open: 100, received: 25_000 };

it('says how far it is, and how long it will take', () => {
  expect(loadStep(plan, counts, 7, 30_000)).toEqual({
    what: 'loading',
    share: 0.5,
    details: [
      ...['connected 2,500 of 5,000', 'open 100', 'replies 25,000 of 50,000', 'errors 7', '30 s left'],
    ],
  });
});

it('says of no end while hardly anything is done, or all is', () => {
  const begun = loadStep(plan, { ...zeroCounts(), begun: 5, received: 10 }, 0, 1_000);
  const done = loadStep(plan, { ...counts, received: 50_000 }, 0, 60_000);
  for (const { details } of [begun, done]) expect(details.join()).not.toContain('left');
  expect(loadStep(plan, counts, 7, 100_000).details.at(-1)).toBe('1 min 40 s left');
});
