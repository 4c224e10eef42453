import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CodedWorld } from './coded-world.fixture.ts';

/** Lets the event loop turn; what a fake turn itself asks for is due a millisecond later. */
const turn = (): void => {
  vi.advanceTimersByTime(1);
};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** A random run: what was offered by either side while it could be, and what became of it. */
class Run {
  readonly world: CodedWorld;
  readonly sent: string[] = [];
  readonly said: string[] = [];
  closed = false;
  /** What the owner was told before it closed the connection. */
  toldBefore = 0;
  #n = 0;

  constructor(maxWaiting: number) {
    this.world = new CodedWorld({ maxWaiting, maxBufferedBytes: 300 });
  }

  send(kind: string): void {
    if (!this.world.upstream.congested) this.push(kind);
  }

  /** Sends it even though there should be no more. */
  push(kind: string): void {
    if (!this.world.upstream.usable) return;
    const text = `${this.#n++} ${kind} ${'x'.repeat(this.#n % 80)}`;
    this.sent.push(text);
    this.world.send(text);
  }

  say(kind: string): void {
    if (!this.world.connection.upstream.usable) return;
    const text = `${this.#n++} ${kind}`;
    if (this.world.upstream.usable) this.said.push(text);
    this.world.say(text);
  }

  close(act: () => void): void {
    act();
    if (!this.closed) this.toldBefore = this.world.told.length;
    this.closed = true;
  }
}

const acts: readonly ((run: Run) => void)[] = [
  (run) => run.send('quick'),
  (run) => run.send('slow'),
  (run) => run.say('quick'),
  (run) => run.say('slow'),
  ({ world }) => world.toy.workOnEncoding(),
  ({ world }) => world.toy.workOnDecoding(),
  turn,
  ({ world }) => world.connection.socket.stall(),
  ({ world }) => world.connection.socket.unstall(),
];
/** One of them, late in the run. */
const ends: readonly ((run: Run) => void)[] = [
  turn,
  (run) => ['slow', 'a', 'b', 'c', 'd'].forEach((kind) => run.push(kind)),
  ({ world }) => world.sayGarbage(),
  ({ world }) => world.leave(),
  ({ world }) => world.connection.socket.close(),
  (run) => run.close(() => run.world.upstream.close(1000, '')),
  (run) => run.close(() => run.world.upstream.destroy()),
];

it('loses nothing and says nothing twice, whatever the thread pool and the network do', () => {
  const some = fc.array(fc.constantFrom(...acts), { maxLength: 25 });
  const parts = [some, fc.constantFrom(...ends), some, fc.constantFrom(...ends), some] as const;
  fc.assert(
    fc.property(fc.constantFrom(4, Infinity), ...parts, (maxWaiting, before, end, between, again, after) => {
      const run = new Run(maxWaiting);
      const { world, sent, said } = run;
      for (const act of [...before, end, ...between, again, ...after]) act(run);
      world.connection.socket.unstall();
      for (let n = 0; n < 100; n++) {
        world.toy.workOnEncoding();
        world.toy.workOnDecoding();
        turn();
      }
      const heard = world.told.filter((text) => /^\d/.test(text));
      const gone = world.told.filter((text) => text.startsWith('gone'));
      expect(said.slice(0, heard.length)).toEqual(heard);
      expect(sent.slice(0, world.heard.length)).toEqual(world.heard);
      if (run.closed) {
        expect(world.told.slice(run.toldBefore)).toEqual([]);
      } else if (gone.length > 0) {
        expect([...gone, ...world.told.slice(world.told.indexOf(gone[0]!) + 1)]).toHaveLength(1);
        expect([...world.heard, ...world.left]).toEqual(sent);
      } else {
        expect([world.heard, heard]).toEqual([sent, said]);
        expect(world.upstream.congested).toBe(false);
      }
      expect(world.toy.waiting).toBe(0);
    }),
    { numRuns: 2_000 },
  );
});
