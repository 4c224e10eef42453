import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Faults } from './faults.ts';

it('plays each fault of a stage after its beginning, in order, and none when it is stopped', async () => {
  const played: string[] = [];
  const stand = {
    kill: (backend: number) => Promise.resolve(void played.push(`kill ${backend}`)),
    restart: (backend: number) => Promise.resolve(void played.push(`start ${backend}`)),
  };
  const specs = [
    { stage: 'calls', after: 0.1, start: 1 },
    { stage: 'calls', after: 0.02, kill: 1 },
    { stage: 'others', after: 0, kill: 2 },
    { stage: 'calls', after: 30, kill: 2 },
  ];
  const faults = new Faults(stand, specs, (error) => played.push(error.message));
  faults.onStage('calls', Date.now());
  while (played.length < 2) await sleep(5);
  faults.stop();
  expect(played).toEqual(['kill 1', 'start 1']);
  expect(faults.played.map(({ kind, backend }) => [kind, backend])).toEqual([
    ['kill', 1],
    ['start', 1],
  ]);
});

it('reports a fault that cannot be played', async () => {
  const failing = (): Promise<void> => Promise.reject(new Error('no such back end'));
  const why = await new Promise<Error>((resolve) => {
    new Faults({ kill: failing, restart: failing }, [{ stage: 's', after: 0, kill: 9 }], resolve).onStage(
      's',
      0,
    );
  });
  expect(why.message).toBe('no such back end');
});
