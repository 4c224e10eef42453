import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Lane, type LaneContext, type LaneWork } from './lane.ts';
import { TurnBudget, TurnCounter } from './turn-budget.ts';

const slow = Buffer.from('slow');

/** A lane whose only slow message waits until `finish` is called. */
function openLane() {
  const handedOn: string[] = [];
  const budget = new TurnBudget(new TurnCounter());
  const context: LaneContext = {
    runInPool: (job) => job(),
    maxPendingBytes: 1 << 22,
    maxTotalPendingBytes: 1 << 24,
    pendingBytes: 0,
    onError: (error) => handedOn.push(String(error)),
  };
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const handOn = (bytes: Uint8Array): void => {
    budget.spend(bytes.length);
    handedOn.push(Buffer.from(bytes).toString());
  };
  const work: LaneWork = {
    isSlow: (bytes) => slow.equals(bytes),
    mustRest: () => budget.isSpent,
    now: handOn,
    inPool: async (bytes) => {
      await finished;
      return () => handOn(bytes);
    },
    onError: (error) => handedOn.push(String(error)),
    onOverflow: () => handedOn.push('overflow'),
  };
  const lane = new Lane(context, work, 1 << 24);
  return { lane, context, handedOn, finish };
}

it('lets others have their turn while it hands on thousands of messages that waited', async () => {
  const { lane, context, handedOn, finish } = openLane();
  const small = Array.from({ length: 10_000 }, (_, i) => String(i));
  for (const text of ['slow', ...small]) lane.push(Buffer.from(text), false);
  finish();
  let mostInOneTurn = 0;
  while (!lane.idle) {
    const before = handedOn.length;
    await nextTurn();
    mostInOneTurn = Math.max(mostInOneTurn, handedOn.length - before);
  }
  expect(mostInOneTurn).toBeLessThan(1_000);
  expect(handedOn).toEqual(['slow', ...small]);
  expect(context.pendingBytes).toBe(0);
});

it('keeps the order of what arrives while it lets others have their turn', async () => {
  const { lane, handedOn, finish } = openLane();
  const early = Array.from({ length: 2_000 }, (_, i) => `early ${i}`);
  const late: string[] = [];
  for (const text of ['slow', ...early]) lane.push(Buffer.from(text), false);
  finish();
  while (!lane.idle) {
    await nextTurn();
    late.push(`late ${late.length}`);
    lane.push(Buffer.from(late.at(-1)!), false);
  }
  expect(late.length).toBeGreaterThan(1);
  expect(handedOn).toEqual(['slow', ...early, ...late]);
});

it('hands nothing on and owes nothing once it is stopped between two turns', async () => {
  const { lane, context, handedOn, finish } = openLane();
  for (let i = 0; i < 5_000; i++) lane.push(i === 0 ? slow : Buffer.from('x'), false);
  let callbacks = 0;
  lane.afterPending(() => callbacks++);
  finish();
  await nextTurn();
  lane.stop();
  const before = handedOn.length;
  expect([before > 0, before < 5_000, callbacks]).toEqual([true, true, 1]);
  for (let i = 0; i < 5; i++) await nextTurn();
  lane.push(Buffer.from('after'), false);
  expect([handedOn.length, context.pendingBytes, callbacks]).toEqual([before, 0, 1]);
});

it('shows and hands over nothing that it has handed on, also in the moment after', async () => {
  const { lane, handedOn, finish } = openLane();
  for (const text of ['slow', 'a', 'b']) lane.push(Buffer.from(text), false);
  const shown: string[] = [];
  finish();
  while (!handedOn.includes('slow')) await Promise.resolve();
  lane.visit((bytes) => void shown.push(Buffer.from(bytes).toString()));
  expect(shown).not.toContain('slow');
  lane.handOver((bytes) => void handedOn.push(`${Buffer.from(bytes).toString()} over`));
  for (let n = 0; n < 5; n++) await nextTurn();
  expect(handedOn.map((text) => text.split(' ')[0])).toEqual(['slow', 'a', 'b']);
});
