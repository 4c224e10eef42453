import { describe, expect, it } from 'vitest';
import { failureOf } from '../engine/failure.ts';
import { faultKind } from '../loader/connection-fault.ts';
import { kinds, statusIn } from './failure-kinds.ts';

describe('the kind of a failure', () => {
  it.each([
    ['ECONNREFUSED', 'connection refused'],
    ['ECONNRESET', 'connection reset'],
    ['ETIMEDOUT', 'connection timed out'],
    ['EHOSTUNREACH', 'host unreachable'],
    ['EMFILE', 'no more open files (EMFILE)'],
    ['EADDRNOTAVAIL', 'no more ports (EADDRNOTAVAIL)'],
    ['ESOMETHING', 'ESOMETHING'],
  ])('of %s is the same in each of the loaders', (code, kind) => {
    const error = Object.assign(new Error(`connect ${code}`), { code });
    expect(failureOf(error).kind).toBe(kind);
    expect(faultKind(error)).toBe(kind);
  });

  it('says the status with which a handshake was refused', () => {
    expect(statusIn(kinds.status(429))).toBe(429);
    expect(statusIn(kinds.handshakeTimeout)).toBeUndefined();
  });
});
