import { describe, expect, it } from 'vitest';
import { firstCounter } from './exchange.ts';
import { Load, type Speaker } from './load.ts';
import { Pacer } from './pacer.ts';

class FakeSpeaker implements Speaker {
  slot = -1;
  open = true;
  reads = true;
  readonly said: number[] = [];

  isOpen(): boolean {
    return this.open;
  }

  say(counter: number): boolean {
    if (this.open && this.reads) this.said.push(counter - firstCounter);
    return this.open && this.reads;
  }
}

/** Three clients that send 1,000 messages a second, six in all: one each millisecond from 0. */
function load(total = 6): { load: Load; clients: FakeSpeaker[] } {
  const clients = [new FakeSpeaker(), new FakeSpeaker(), new FakeSpeaker()];
  const pacer = new Pacer({ startMs: 0, ratePerSecond: 1_000, total, phase: 0 });
  const sizes = { requestLength: 100, replyLength: 50 };
  return { clients, load: new Load({ speakers: clients, pacer, firstCounter, ...sizes }) };
}

describe('a load', () => {
  it('sends what is due, by turns, and times each reply from when its message was due', () => {
    const { load: one, clients } = load();
    one.pump(2.5);
    expect(clients.map(({ said }) => said)).toEqual([[0], [0], [0]]);
    // The third was sent half a millisecond late, which counts.
    expect(one.onAnswer(2, firstCounter, 4.5)).toBe(true);
    expect(one.onAnswer(0, firstCounter, 4.5)).toBe(true);
    const { latency, sent, received, bytesSent, bytesReceived } = one.take();
    expect(latency.filter((_, i) => i % 2 === 1)).toEqual([1, 1]);
    expect(latency[0]! / 2_500).toBeCloseTo(1, 2);
    expect(latency[2]! / 4_500).toBeCloseTo(1, 2);
    expect({ sent, received, bytesSent, bytesReceived }).toEqual({
      ...{ sent: 3, received: 2 },
      ...{ bytesSent: 300, bytesReceived: 100 },
    });
    expect(one.owed).toBe(1);
  });

  it('sends no more than is due, and catches up in slices', () => {
    const { load: one, clients } = load(10_000);
    expect(one.pump(-1)).toBe(true);
    expect(one.pump(99.5)).toBe(false);
    const sent = clients.flatMap(({ said }) => said).length;
    expect(sent).toBeLessThan(100);
    while (!one.pump(99.5));
    expect(clients.flatMap(({ said }) => said)).toHaveLength(100);
    expect(one.allSent).toBe(false);
  });

  it('takes the answers of a client in any order, each once', () => {
    const { load: one } = load();
    one.pump(10);
    expect(one.allSent).toBe(true);
    expect(one.onAnswer(1, firstCounter + 1, 11)).toBe(true);
    expect(one.onAnswer(1, firstCounter, 11)).toBe(true);
    expect(one.onAnswer(1, firstCounter, 11)).toBe(false);
    expect(one.onAnswer(1, firstCounter + 2, 11)).toBe(false);
    expect(one.onAnswer(-1, firstCounter, 11)).toBe(false);
    expect(one.owed).toBe(4);
  });

  it('accounts for each message: received, an error, unsent, orphaned or owed', () => {
    const { load: one, clients } = load();
    one.pump(2.5);
    clients[0]!.open = false;
    one.onGone(0);
    clients[1]!.reads = false;
    expect(one.onAnswer(2, firstCounter, 3, 'error reply -32003: {"error":…}')).toBe(true);
    one.pump(10);
    expect(one.onAnswer(1, firstCounter, 11)).toBe(true);
    const { received, errors, unsent, sent } = one.take();
    const kinds = Object.entries({ ...errors, ...unsent }).map(([kind, { count }]) => [kind, count]);
    expect(Object.fromEntries(kinds)).toEqual({
      ...{ 'error reply -32003': 1, 'connection gone': 1, 'server reads too slowly': 1 },
    });
    expect([sent, received, one.orphaned, one.owed]).toEqual([4, 1, 1, 1]);
    expect(sent).toBe(received + 1 + one.orphaned + one.owed);
  });

  it('numbers the messages of the next load above its own', () => {
    const { load: one } = load(7);
    one.pump(100);
    expect(one.nextCounter).toBe(firstCounter + 3);
  });

  it('sends nothing after its end', () => {
    const { load: one, clients } = load();
    one.end();
    one.pump(100);
    expect(clients.flatMap(({ said }) => said)).toEqual([]);
    expect(one.allSent).toBe(true);
  });
});
