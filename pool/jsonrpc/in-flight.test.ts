import { describe, expect, it } from 'vitest';
import { InFlight } from './in-flight.ts';
import { Request } from './request.ts';
import { Scan, scanRequest } from './scan.ts';

const none = -1;

function request(id: string, parts: Partial<Request> = {}): Request {
  const bytes = Buffer.from(`{"jsonrpc":"2.0","id":${id},"method":"m"}`);
  const scan = new Scan();
  scanRequest(bytes, 0, bytes.length, scan);
  const made = new Request();
  made.describe(bytes, 0, bytes.length, scan);
  return Object.assign(made, parts);
}

function table(slots = 4, idCeiling: number = 2 ** 52): InFlight<string> {
  return new InFlight<string>(slots, idCeiling);
}

describe('InFlight', () => {
  it('finds a request by its wire id until it is released, and never again', () => {
    const inFlight = table();
    const slot = inFlight.claim('ada', none, request('1'), 0);
    const wireId = inFlight.wireId(slot);
    expect(inFlight.find(wireId)).toBe(slot);
    expect(inFlight.owners[slot]).toBe('ada');
    inFlight.release(slot, slot);
    expect(inFlight.find(wireId)).toBe(none);
    expect(inFlight.claim('bob', none, request('1'), 0)).toBe(slot);
    expect(inFlight.find(wireId)).toBe(none);
  });

  it('gives out wire ids that only grow and never starts at 0', () => {
    const inFlight = table(3);
    const ids: number[] = [];
    for (let n = 0; n < 50; n++) {
      const slot = inFlight.claim('ada', none, request('1'), 0);
      ids.push(inFlight.wireId(slot));
      if (inFlight.full) for (const taken of inFlight.taken().slice(n % 3)) inFlight.release(taken, none);
      if (inFlight.full) inFlight.release(slot, none);
    }
    const grown = ids.filter((id, index) => id > (ids[index - 1] ?? 0));
    expect(grown).toEqual(ids);
  });

  it('knows nothing of ids that were not given out, near or negative', () => {
    const inFlight = table();
    const wireId = inFlight.wireId(inFlight.claim('ada', none, request('1'), 0));
    for (const id of [wireId + 1, wireId - 1, wireId + 4, wireId - 4, 0, -1, 2 ** 53 - 1]) {
      expect(inFlight.find(id)).toBe(none);
    }
  });

  it('is full at its last slot and throws beyond', () => {
    const inFlight = table(2);
    inFlight.claim('ada', none, request('1'), 0);
    expect(inFlight.full).toBe(false);
    inFlight.claim('ada', none, request('2'), 0);
    expect(inFlight.full).toBe(true);
    expect(inFlight.size).toBe(2);
    expect(() => inFlight.claim('ada', none, request('3'), 0)).toThrow(/^bug: /);
  });

  it('is exhausted before a wire id reaches the ceiling', () => {
    const inFlight = table(4, 40);
    let highest = 0;
    while (!inFlight.exhausted) {
      const slot = inFlight.claim('ada', none, request('1'), 0);
      highest = Math.max(highest, inFlight.wireId(slot));
      inFlight.release(slot, slot);
    }
    expect(highest).toBeGreaterThan(20);
    expect(highest).toBeLessThan(40);
    const last = inFlight.claim('ada', none, request('1'), 0);
    expect(inFlight.wireId(last)).toBeLessThan(40);
  });

  it('sees a duplicate id of the same owner, and keeps 1 apart from "1"', () => {
    const inFlight = table();
    const first = inFlight.claim('ada', none, request('1'), 0);
    const head = inFlight.claim('ada', first, request('"a"'), 0);
    expect(inFlight.hasId(head, request('1'))).toBe(true);
    expect(inFlight.hasId(head, request('"\\u0061"'))).toBe(true);
    expect(inFlight.hasId(head, request('"1"'))).toBe(false);
    expect(inFlight.hasId(head, request('2'))).toBe(false);
    expect(inFlight.hasId(none, request('1'))).toBe(false);
  });

  it('keeps the ids of an owner listed whichever of them is released first', () => {
    for (const gone of [0, 1, 2]) {
      const inFlight = table();
      let head = none;
      const slots = ['1', '2', '3'].map((id) => (head = inFlight.claim('ada', head, request(id), 0)));
      head = inFlight.release(slots[gone]!, head);
      const left = ['1', '2', '3'].filter((id) => inFlight.hasId(head, request(id)));
      expect(left).toEqual(['1', '2', '3'].filter((_, index) => index !== gone));
    }
  });

  it('gives back the id as its client wrote it, in its one spelling', () => {
    const inFlight = table();
    const longest = `"${'é'.repeat(64)}"`;
    for (const [id, kept] of [
      ['-7', '-7'],
      ['"\\u0061"', '"a"'],
      [longest, longest],
    ]) {
      const slot = inFlight.claim('ada', none, request(id!), 0);
      const bytes = inFlight.idBytes.subarray(inFlight.idStart(slot), inFlight.idEnd(slot));
      expect(Buffer.from(bytes).toString()).toBe(kept);
    }
  });

  it('leaves tombstones that stay taken until they are released', () => {
    const inFlight = table();
    const other = inFlight.claim('bob', none, request('1'), 0);
    const head = inFlight.claim(
      'ada',
      inFlight.claim('ada', none, request('1', { deadlineMs: 50 }), 0),
      request('2'),
      0,
    );
    expect(inFlight.abandon(head)).toBe(2);
    expect(inFlight.size).toBe(3);
    expect(inFlight.owners[head]).toBeUndefined();
    expect(inFlight.owners[other]).toBe('bob');
    expect(inFlight.find(inFlight.wireId(head))).toBe(head);
    inFlight.release(head, none);
    expect(inFlight.size).toBe(2);
    expect(inFlight.abandon(none)).toBe(0);
  });

  it('lists what is taken oldest first and what has expired, tombstones included', () => {
    const inFlight = table();
    const first = inFlight.claim('ada', none, request('1', { deadlineMs: 30 }), 5);
    const second = inFlight.claim('ada', first, request('2', { deadlineMs: 20 }), 6);
    inFlight.release(first, second);
    const third = inFlight.claim('bob', none, request('3', { deadlineMs: 40, acceptedAtMs: 4 }), 7);
    inFlight.abandon(second);
    expect(inFlight.taken()).toEqual([second, third]);
    expect(inFlight.expired(19)).toEqual([]);
    expect(inFlight.expired(20)).toEqual([second]);
    expect(inFlight.expired(40)).toHaveLength(2);
    expect([inFlight.acceptedAtMs(third), inFlight.sentAtMs(third), inFlight.deadlineMs(third)]).toEqual([
      4, 7, 40,
    ]);
  });

  it('forgets the request that was kept when its slot is released', () => {
    const inFlight = table();
    const slot = inFlight.claim('ada', none, request('1'), 0);
    inFlight.kept[slot] = request('1');
    inFlight.release(slot, slot);
    expect(inFlight.kept[slot]).toBeUndefined();
    expect(inFlight.owners[slot]).toBeUndefined();
  });
});
