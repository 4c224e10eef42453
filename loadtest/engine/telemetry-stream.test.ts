import { expect, it } from 'vitest';
import { Telemetry } from './telemetry.ts';
import type { TelemetryLine } from './telemetry-line.ts';
import { streamTelemetry } from './telemetry-stream.ts';

it('tells at once what the last clients did, however often nobody is left', async () => {
  const telemetry = new Telemetry({
    worker: '1:1',
    artillery: { emit: () => undefined },
    expected: new Set(),
  });
  const sent: number[] = [];
  const { onIdle } = streamTelemetry(telemetry, (line) => sent.push((line as TelemetryLine).counts.sent));
  telemetry.sent();
  onIdle();
  expect(sent).toEqual([1]);
  for (let i = 0; i < 100; i++) {
    telemetry.sent();
    onIdle();
  }
  await expect.poll(() => sent.at(-1)).toBe(101);
  expect(sent.length).toBeLessThan(50);
});
