import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('Admission', () => {
  it('answers 503 with Retry-After to one client more than maxConnections', () => {
    const admission = new Admission({ maxConnections: 2, maxConnectionsPerIp: 0 });
    expect([admission.enter('a'), admission.enter('b')]).toEqual([undefined, undefined]);
    const refusal = admission.enter('c');
    expect(refusal).toMatchObject({ status: 503, reason: 'total-cap' });
    expect(Object.fromEntries(refusal!.headers)['Retry-After']).toMatch(/^[1-9]\d*$/);
    expect(admission.total).toBe(2);
  });

  it('answers 429 with Retry-After to one client more than maxConnectionsPerIp, and lets other addresses in', () => {
    const admission = new Admission({ maxConnections: 10, maxConnectionsPerIp: 1 });
    expect(admission.enter('a')).toBeUndefined();
    const refusal = admission.enter('a');
    expect(refusal).toMatchObject({ status: 429, reason: 'per-ip-cap' });
    expect(Object.fromEntries(refusal!.headers)['Retry-After']).toMatch(/^[1-9]\d*$/);
    expect(admission.enter('b')).toBeUndefined();
  });

  it('has no cap by address when that is 0', () => {
    const admission = new Admission({ maxConnections: 1_000, maxConnectionsPerIp: 0 });
    for (let i = 0; i < 1_000; i++) expect(admission.enter('a')).toBeUndefined();
  });

  it.each(['__proto__', 'constructor', ''])('counts the address %j like any other', (key) => {
    const admission = new Admission({ maxConnections: 10, maxConnectionsPerIp: 1 });
    expect(admission.enter(key)).toBeUndefined();
    expect(admission.enter(key)).toMatchObject({ status: 429 });
    admission.leave(key);
    expect(admission.enter(key)).toBeUndefined();
  });

  it('calls it a bug when more leave than came', () => {
    const admission = new Admission({ maxConnections: 1, maxConnectionsPerIp: 1 });
    expect(() => admission.leave('a')).toThrow('bug:');
    admission.enter('a');
    admission.leave('a');
    expect(() => admission.leave('a')).toThrow('bug:');
  });

  it('remembers nothing of addresses whose clients have left', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const admission = new Admission({ maxConnections: 10, maxConnectionsPerIp: 1 });
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 500_000; i++) {
      const key = `2001:db8:${i >> 8}:${i}::/64`;
      admission.enter(key);
      admission.leave(key);
    }
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(8 * 2 ** 20);
    expect(admission.total).toBe(0);
  });

  it('agrees with a plain list of who is inside, and is empty when all have left', () => {
    const step = fc.record({ enters: fc.boolean(), key: fc.constantFrom('a', 'b', 'c', 'd'), who: fc.nat() });
    const caps = fc.record({
      maxConnections: fc.integer({ min: 1, max: 12 }),
      maxConnectionsPerIp: fc.nat(5),
    });
    fc.assert(
      fc.property(caps, fc.array(step, { maxLength: 200 }), (options, steps) => {
        const admission = new Admission(options);
        const inside: string[] = [];
        for (const { enters, key, who } of steps) {
          if (enters) {
            const fromAddress = inside.filter((other) => other === key).length;
            const overAddress = options.maxConnectionsPerIp > 0 && fromAddress >= options.maxConnectionsPerIp;
            const statuses = inside.length >= options.maxConnections ? [503] : [];
            if (overAddress) statuses.push(429);
            const refusal = admission.enter(key);
            if (statuses.length > 0) expect(statuses).toContain(refusal?.status);
            else expect(refusal).toBeUndefined();
            if (refusal === undefined) inside.push(key);
          } else if (inside.length > 0) {
            admission.leave(inside.splice(who % inside.length, 1)[0]!);
          }
          expect(admission.total).toBe(inside.length);
        }
        for (const key of inside) admission.leave(key);
        expect(admission.total).toBe(0);
        // As good as new: each address has its whole allowance again.
        const allowance = Math.min(options.maxConnections, options.maxConnectionsPerIp || Infinity);
        for (const key of ['a', 'b', 'c', 'd']) {
          for (let i = 0; i < allowance; i++) expect(admission.enter(key)).toBeUndefined();
          expect(admission.enter(key)).toBeDefined();
          for (let i = 0; i < allowance; i++) admission.leave(key);
        }
      }),
    );
  });
});
