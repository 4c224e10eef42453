import fc from 'fast-check';
import { expect, it } from 'vitest';
import { clientsByFiles, clientsLetIn, filesFor, spareFiles } from './open-files.ts';

const own = { filesPerClient: 2, sharedConnections: 0, ownConnections: 1_000_000 };
const shared = { filesPerClient: 1, sharedConnections: 1_000, ownConnections: 0 };

it('keeps a twentieth of the files, at least 100 and at most 1,024', () => {
  expect([300, 20_000, 1_048_576].map(spareFiles)).toEqual([100, 1_000, 1_024]);
});

it('counts two files for a client with an upstream connection of its own, else one and what the pools share', () => {
  expect([300, 20_000].map((files) => clientsByFiles(files, own))).toEqual([100, 9_500]);
  expect([300, 20_000].map((files) => clientsByFiles(files, shared))).toEqual([100, 18_000]);
  expect(clientsByFiles(50, own)).toBe(0);
});

it('lets more clients in where only some can have a connection of their own', () => {
  expect(clientsLetIn(20_000, own)).toBe(9_500);
  expect(clientsLetIn(20_000, { ...own, ownConnections: 1_000 })).toBe(18_000);
  expect(clientsLetIn(20_000, shared)).toBe(18_000);
});

it('finds a limit in steps of 1,024 that is enough, and no more than what is spare above that', () => {
  const demand = fc.record({
    filesPerClient: fc.constantFrom(1, 2),
    sharedConnections: fc.integer({ min: 0, max: 5_000 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000 }), demand, (clients, of) => {
      const files = filesFor(clients, of);
      expect(files % 1_024).toBe(0);
      expect(clientsByFiles(files, of)).toBeGreaterThanOrEqual(clients);
      expect(files).toBeLessThan(clients * of.filesPerClient + of.sharedConnections + 3 * 1_024);
    }),
  );
});
