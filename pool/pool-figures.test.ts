import { expect, it } from 'vitest';
import { noFigures, usedRatio } from './pool-figures.ts';

const settings = { maxConnections: 4, maxInFlightPerConnection: 8, maxStreamsPerConnection: 16 };
const figures = { ...noFigures(), connections: { idle: 1, busy: 2, draining: 0 }, inFlight: 16 };

it.each([
  ['session', 2 / 4],
  ['request', 16 / 32],
  ['mux', 16 / 64],
] as const)('measures what %s mode has in use against all it can carry', (mode, ratio) => {
  expect(usedRatio({ ...settings, mode }, figures)).toBe(ratio);
});
