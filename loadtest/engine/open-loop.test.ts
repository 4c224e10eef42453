import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { OpenLoop } from './open-loop.ts';
import type { Asker } from './open-loop.ts';
import type { StageMessage, StageSecond } from './stage-messages.ts';

interface Loop {
  readonly told: StageMessage[];
  readonly seconds: () => StageSecond[];
  readonly loop: OpenLoop;
}

function loopOf(rate: number, seconds: number): Loop {
  const told: StageMessage[] = [];
  const loop = new OpenLoop({
    name: 'calls',
    rate,
    seconds,
    answered: true,
    tell: (message) => told.push(message),
  });
  return { told, loop, seconds: () => told.filter((message) => message.type === 'stage-second') };
}

function sum(of: readonly number[]): number {
  return of.reduce((total, value) => total + value, 0);
}

it('sends what is due, over all connections in turn, and counts every reply', async () => {
  const { told, loop, seconds } = loopOf(200, 0.5);
  const asked = [0, 0];
  const askers = asked.map((_, i): Asker => ({
    open: true,
    giveUpLate: () => undefined,
    ask() {
      asked[i]!++;
      return Promise.resolve(undefined);
    },
  }));
  await Promise.all(askers.map((asker) => loop.join(asker)));
  expect(asked).toEqual([50, 50]);
  expect(told[0]).toMatchObject({ type: 'stage-began', name: 'calls', rate: 200, connections: 2 });
  expect(told.at(-1)).toMatchObject({ type: 'stage-ended', name: 'calls' });
  expect(sum(seconds().map(({ sent }) => sent))).toBe(100);
  expect(sum(seconds().map(({ replied }) => replied))).toBe(100);
});

it('does not wait for replies, times them from when their messages were due, and waits for the last', async () => {
  const { loop, seconds } = loopOf(100, 0.2);
  let inFlight = 0;
  let most = 0;
  const slow: Asker = {
    open: true,
    giveUpLate: () => undefined,
    async ask() {
      most = Math.max(most, ++inFlight);
      await sleep(300);
      inFlight--;
      return undefined;
    },
  };
  await loop.join(slow);
  expect(most).toBeGreaterThan(15);
  const latency = new LatencyHistogram();
  for (const second of seconds())
    if (second.latency !== null) latency.add(LatencyHistogram.decode(second.latency));
  expect(latency.count).toBe(20);
  expect(latency.quantileUs(0.01)).toBeGreaterThan(295_000);
});

it('counts errors by kind, and ends when the last connection has closed', async () => {
  const { loop, seconds, told } = loopOf(1_000, 60);
  let left = 10;
  const failing: Asker = {
    get open() {
      return left > 0;
    },
    giveUpLate: () => undefined,
    ask() {
      left--;
      return Promise.resolve(left % 2 === 0 ? 'wrong reply' : 'reply timed out');
    },
  };
  await loop.join(failing);
  expect(seconds()[0]!.errors).toEqual({ 'wrong reply': 5, 'reply timed out': 5 });
  expect(told.at(-1)!.type).toBe('stage-ended');
});
