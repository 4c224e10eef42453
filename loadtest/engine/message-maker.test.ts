import { expect, it, vi } from 'vitest';
import { MessageMaker, type MessageShape } from './message-maker.ts';

const shape: MessageShape = {
  ...{ bytes: 100, isBinary: false, method: undefined, generator: undefined, text: undefined },
};

it('makes messages of the size asked for, no two alike', async () => {
  const maker = new MessageMaker();
  for (const bytes of [0, 1, 64, 1_024, 200_000])
    expect((await maker.next({ ...shape, bytes }, undefined)).bytes).toHaveLength(bytes);
  const made = await Promise.all(Array.from({ length: 1_000 }, () => maker.next(shape, undefined)));
  expect(new Set(made.map(({ bytes }) => Buffer.from(bytes).toString())).size).toBe(1_000);
});

it('makes JSON-RPC requests of the size asked for, or as short as they can be', async () => {
  const maker = new MessageMaker();
  for (const bytes of [500, 10]) {
    const message = await maker.next({ ...shape, bytes, method: 'a"b' }, 7);
    expect(JSON.parse(Buffer.from(message.bytes).toString())).toMatchObject({ id: 7, method: 'a"b' });
    if (bytes === 500) expect(message.bytes).toHaveLength(500);
  }
});

it('asks a generator for the size, and refuses what is no message', async () => {
  const maker = new MessageMaker();
  const made = await maker.next({ ...shape, generator: (size, done) => done(null, `of ${size}`) }, undefined);
  expect(Buffer.from(made.bytes).toString()).toBe('of 100');
  const bad = {
    ...shape,
    generator: (_: number, done: (e: unknown, d: unknown) => void) => done(undefined, 7),
  };
  await expect(maker.next(bad, undefined)).rejects.toThrow('the generator gave number');
  const broken = {
    ...shape,
    generator: (_: number, done: (e: unknown, d: unknown) => void) => done(new Error('no'), ''),
  };
  await expect(maker.next(broken, undefined)).rejects.toThrow('the generator failed: no');
  const throws = {
    ...shape,
    generator: () => {
      throw new Error('at once');
    },
  };
  await expect(maker.next(throws, undefined)).rejects.toThrow('the generator failed: at once');
});

it('does not wait for ever for a generator, and hears what one throws later', async () => {
  vi.useFakeTimers();
  const mute = new MessageMaker().next({ ...shape, generator: () => undefined }, undefined);
  const told = expect(mute).rejects.toThrow('the generator did not call done(error, data) within 10 s');
  await vi.advanceTimersByTimeAsync(10_000);
  await told;
  vi.useRealTimers();
  const late = { ...shape, generator: () => Promise.reject(new Error('later')) };
  await expect(new MessageMaker().next(late, undefined)).rejects.toThrow('the generator failed: later');
});
