import { expect, it } from 'vitest';
import { environment } from '../result/environment.ts';
import { emptyResult, parseRunResult } from '../result/run-result.ts';
import { resultText, trimmed } from './trimmed.ts';

const result = {
  ...emptyResult({
    kind: 'scale',
    title: 'a run',
    command: 'npm run scale -- --connections 10 --json a/b.json --rate 5 --report=c.html',
    environment: environment('loopback'),
    target: 'a gateway',
    settings: { connections: 10 },
  }),
  seconds: 12.345_678_9,
  timeline: [{ at: 1, sent: 1, received: 1, errors: 0, open: 1, latencyMs: null, processes: {} }],
  others: [{ rows: [] }],
};

it('keeps no seconds, and not where it was written', () => {
  const kept = trimmed(result);
  expect(kept).toMatchObject({ timeline: [], seconds: 12.3457, title: 'a run' });
  expect(kept.command).toBe('npm run scale -- --connections 10 --rate 5');
  expect(kept).not.toHaveProperty('others');
});

it('leaves no flags behind where there were no others', () => {
  expect(trimmed({ ...result, command: 'npm run compare -- --json x.json' }).command).toBe('npm run compare');
});

it('is a result, and the same one when it is trimmed again', () => {
  const kept = parseRunResult(resultText(trimmed(result)));
  expect(trimmed(kept)).toEqual(kept);
});
