import { expect, it } from 'vitest';
import { environment } from '../result/environment.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { emptyResult, type RunResult } from '../result/run-result.ts';
import { msText, summaryText } from './summary.ts';

function result(changes: Partial<RunResult>): RunResult {
  const about = {
    title: '',
    command: '',
    environment: environment('loopback'),
    target: 'ws://a ws://b',
    settings: { amount: 50, messages: 12 },
  };
  return { ...emptyResult({ kind: 'thor', ...about }), ...changes };
}

const totals = {
  ...{ connected: 1_000, disconnected: 1_000, failed: 3, sent: 1_000, received: 997 },
  ...{ bytesSent: 1_234_567, bytesReceived: 999, onlineMs: 1_234.4 },
};

it('labels every percentile with what it is', () => {
  const latency = new LatencyHistogram();
  for (let us = 1; us <= 1_000; us++) latency.record(us);
  const text = summaryText(result({ totals, seconds: 2, latency: latency.figures()! }), {});
  const lines = text.split('\n');
  const heads = lines
    .find((line) => line.includes('99.9%'))!
    .trim()
    .split(/\s+/);
  const values = lines
    .filter((line) => line.includes('Latency'))
    .at(-1)!
    .trim()
    .split(/\s+/)
    .slice(1);
  const shown = Object.fromEntries(heads.map((head, i) => [head, Number(values[i])]));
  expect(shown).toEqual({
    ...{ '50%': 0.5, '66%': 0.66, '75%': 0.75, '80%': 0.8, '90%': 0.9, '95%': 0.95, '98%': 0.98 },
    ...{ '99%': 0.99, '99.9%': 0.999, '100%': 1 },
  });
  expect(text).toContain('Online               1,234 milliseconds');
  expect(text).toContain('Failed               3');
  expect(text).toContain('Messages             1,000 sent, 997 answered rightly, 200 never sent');
  expect(text).toContain('Total transferred    1.23 MB');
  expect(text).toContain('Total received       999 bytes');
});

it('tells errors with their number, the most frequent first, in full and with what may be done', () => {
  const errors = { 'reply timed out': 2, 'connection refused': 10 };
  const text = summaryText(result({ totals, errors }), { 'connection refused': 'connection refused: ECONN' });
  expect(text.indexOf('10x  connection refused')).toBeLessThan(text.indexOf(' 2x  reply timed out'));
  expect(text).toContain('the first: connection refused: ECONN');
  expect(text).toContain('is the server running');
});

it('has dashes, and no zeros, where no reply came, and no table where nobody connected', () => {
  const silent = summaryText(result({ totals }), {});
  expect(silent).toMatch(/Latency( +-){5}\n/);
  expect(silent).toContain('No reply came');
  const refused = summaryText(result({ totals: { ...totals, connected: 0 }, errors: { reset: 1 } }), {});
  expect(refused).toContain('No connection was made');
  expect(refused).toContain('1x  reset');
  expect(refused).not.toContain('Percentile');
});

it('shows what is shorter than a millisecond', () => {
  expect([0.0421, 1.5, 12.345, 123.45, 12_345.6].map(msText)).toEqual([
    '0.042',
    '1.500',
    '12.35',
    '123.5',
    '12346',
  ]);
});
