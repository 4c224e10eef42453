import { expect, it } from 'vitest';
import { onInterrupt } from './on-interrupt.ts';

it('ends a run at the first Ctrl-C, takes the same key for one, and ends at once at a later one', () => {
  const heard: string[] = [];
  let nowMs = 0;
  const stop = onInterrupt({
    onFirst: () => heard.push('first'),
    onLater: () => heard.push('later'),
    exit: (code) => {
      throw new Error(`exit ${code}`);
    },
    now: () => nowMs,
  });
  process.emit('SIGINT');
  nowMs = 300;
  process.emit('SIGINT');
  expect(heard).toEqual(['first']);
  nowMs = 1_500;
  expect(() => process.emit('SIGHUP')).toThrow('exit 130');
  expect(heard).toEqual(['first', 'later']);
  stop();
  expect(process.listenerCount('SIGHUP')).toBe(0);
});
