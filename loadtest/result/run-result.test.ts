import { expect, it } from 'vitest';
import { environment } from './environment.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { emptyResult, parseRunResult } from './run-result.ts';

const empty = () =>
  emptyResult({
    kind: 'scale',
    title: 'a run',
    command: 'npm run scale',
    environment: environment('loopback'),
    target: 'ws://127.0.0.1:1/ws',
    settings: { connections: 10, mode: 'request' },
  });

it('reads back what it has written', () => {
  const latency = new LatencyHistogram();
  latency.record(1_500, 4);
  const result = { ...empty(), latency: latency.figures()! };
  expect(parseRunResult(JSON.stringify(result))).toEqual(result);
});

it('says what is wrong with a file that is no result', () => {
  expect(() => parseRunResult('<html>')).toThrow(/it is no JSON/);
  expect(() => parseRunResult('{"format":"other"}')).toThrow(/no result of a run[^]*format/);
  expect(() => parseRunResult(JSON.stringify({ ...empty(), seconds: -1 }))).toThrow(/seconds/);
});
