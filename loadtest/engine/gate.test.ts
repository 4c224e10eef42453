import { expect, it } from 'vitest';
import { Gate } from './gate.ts';

async function most(gate: Gate, users: number): Promise<{ most: number; order: number[] }> {
  let [inside, peak] = [0, 0];
  const order: number[] = [];
  const one = (number: number) => async (): Promise<void> => {
    order.push(number);
    peak = Math.max(peak, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
    if (number % 3 === 0) throw new Error('it failed');
  };
  await Promise.allSettled(Array.from({ length: users }, (_, i) => gate.pass(one(i))));
  return { most: peak, order };
}

it('lets so many through at once, in their order, whether they succeed or not', async () => {
  const { most: peak, order } = await most(new Gate(4), 50);
  expect(peak).toBe(4);
  expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
});

it('lets all through with 0', async () => {
  expect((await most(new Gate(0), 50)).most).toBe(50);
});
