import { expect, it } from 'vitest';
import { Children } from './children.ts';
import { answersOk, freePort, portOpen } from './ports.ts';

it('waits for nobody once it is interrupted, or the process would not end', async () => {
  const children = new Children();
  const port = await freePort();
  const waits: Promise<unknown>[] = [];
  const watched = children.watch('starting nobody', 60_000, (over) => {
    waits.push(portOpen(port, over), answersOk(`http://127.0.0.1:${port}/ready`, over));
    return Promise.all(waits);
  });
  children.fail(new Error('interrupted'));
  await expect(watched).rejects.toThrow('interrupted');
  await Promise.all(waits);
});
