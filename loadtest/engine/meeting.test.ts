import { expect, it } from 'vitest';
import { Meeting } from './meeting.ts';

async function isOver(wait: Promise<void>): Promise<boolean> {
  return Promise.race([
    wait.then(() => true),
    new Promise<boolean>((resolve) => setImmediate(resolve, false)),
  ]);
}

it('lets everybody on when the last one has come', async () => {
  const meeting = new Meeting(3);
  const [one, two] = [meeting.wait(), meeting.wait()];
  expect(await isOver(one)).toBe(false);
  const three = meeting.wait();
  expect(await Promise.all([one, two, three].map(isOver))).toEqual([true, true, true]);
});

it('waits for nobody who has ended', async () => {
  const meeting = new Meeting(2);
  const one = meeting.wait();
  expect(await isOver(one)).toBe(false);
  meeting.giveUpOne();
  expect(await isOver(one)).toBe(true);
});
