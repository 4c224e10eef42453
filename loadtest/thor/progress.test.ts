import { expect, it } from 'vitest';
import { zeroCounts } from '../engine/telemetry-line.ts';
import { progressText } from './progress.ts';

const plan = { connections: 5_000, messages: 50_000 };
const counts = { ...zeroCounts(), begun: 2_600, over: 2_400, connected: 2_500, open: 100, received: 25_000 };

it('says how far it is, and how long it will take', () => {
  const text = progressText(plan, counts, 7, { elapsedMs: 30_000, columns: 200 });
  expect(text).toContain(
    '50 %  connected 2,500 of 5,000  open 100  replies 25,000 of 50,000  errors 7  30 s left',
  );
});

it('leaves out what does not fit, and never half of it', () => {
  for (let columns = 0; columns < 130; columns++) {
    const text = progressText(plan, counts, 7, { elapsedMs: 30_000, columns });
    expect(text.length).toBeLessThanOrEqual(columns);
    expect(text).toMatch(/^$|(%|of 5,000|100|of 50,000|7|left)$/);
  }
});
