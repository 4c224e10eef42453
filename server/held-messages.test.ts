import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeldMessages } from './held-messages.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp(maxBytes = 10_000): {
  held: HeldMessages;
  sent: string[];
  hold: (text: string, dueMs: number) => void;
  again: Set<string>;
} {
  const sent: string[] = [];
  /** What has to wait again when it is tried. */
  const again = new Set<string>();
  const held: HeldMessages = new HeldMessages({
    maxBytes,
    now: () => performance.now(),
    resend: (bytes, isBinary, charges) => {
      const text = Buffer.from(bytes).toString();
      if (again.has(text)) held.hold(bytes, isBinary, Infinity, undefined);
      else sent.push(`${text}${charges === undefined ? ' unpaid' : ''}`);
    },
  });
  const hold = (text: string, dueMs: number): void =>
    held.hold(Buffer.from(text), false, performance.now() + dueMs, dueMs === Infinity ? undefined : [0]);
  return { held, sent, hold, again };
}

describe('held messages', () => {
  it('go on when they are due, and not a moment before', () => {
    const { hold, sent, held } = setUp();
    hold('a', 100);
    hold('b', 200);
    vi.advanceTimersByTime(99);
    expect(sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sent).toEqual(['a']);
    vi.advanceTimersByTime(100);
    expect([sent, held.isEmpty, vi.getTimerCount()]).toEqual([['a', 'b'], true, 0]);
  });

  it('keep a copy of what the network buffer holds', () => {
    const { held, sent } = setUp();
    const bytes = Buffer.from('secret');
    held.hold(bytes, true, performance.now() + 5, [0]);
    bytes.fill('x');
    vi.advanceTimersByTime(5);
    expect(sent).toEqual(['secret']);
  });

  it('wait behind one of which nothing is known, and follow it in order', () => {
    const { hold, sent, held } = setUp();
    hold('a', Infinity);
    hold('b', Infinity);
    hold('c', 10);
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual([]);
    held.wake();
    expect(sent).toEqual(['a unpaid', 'b unpaid', 'c']);
  });

  it('put one that has to wait again back to the front', () => {
    const { hold, sent, held, again } = setUp();
    hold('a', Infinity);
    hold('b', Infinity);
    again.add('a');
    held.wake();
    expect([sent, held.isEmpty]).toEqual([[], false]);
    again.clear();
    held.wake();
    expect(sent).toEqual(['a unpaid', 'b unpaid']);
  });

  it('are bounded in bytes, and those without any count too', () => {
    const { hold, held } = setUp(1_000);
    let count = 0;
    for (; held.hasRoomFor(0) && count < 1_000; count++) hold('', 1);
    expect(count).toBeLessThan(10);
    expect(held.hasRoomFor(1)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(held.hasRoomFor(5_000), 'one by itself, however large').toBe(true);
    hold('one', 1);
    expect([held.hasRoomFor(400), held.hasRoomFor(800)]).toEqual([true, false]);
  });

  it('are forgotten with their timer when the client is gone', () => {
    const { hold, sent, held } = setUp();
    hold('a', 10);
    held.clear();
    vi.advanceTimersByTime(20);
    expect([sent, held.isEmpty, vi.getTimerCount()]).toEqual([[], true, 0]);
  });
});
