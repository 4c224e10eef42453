import { Buffer } from 'node:buffer';
import { describe, expect, it } from 'vitest';
import { Incoming } from './incoming.ts';

describe('the credit of what is received', () => {
  it('is used up by payloads and 16 bytes each, and not exceeded', () => {
    const incoming = new Incoming(1_024, 10_000);
    expect(incoming.pay(992)).toBe(true);
    expect(incoming.pay(0)).toBe(true);
    expect(incoming.pay(0)).toBe(false);
  });

  it('is given back from half of the window on, less what has not been read', () => {
    const incoming = new Incoming(1_024, 10_000);
    incoming.pay(400);
    expect(incoming.isDue).toBe(false);
    incoming.pay(400);
    expect(incoming.isDue).toBe(true);
    expect(incoming.giveBack(500)).toBe(0);
    expect(incoming.giveBack(Infinity)).toBe(0);
    expect(incoming.giveBack(300)).toBe(532);
    expect(incoming.isDue).toBe(false);
  });
});

describe('the parts of a message', () => {
  const part = Buffer.from('--part--');

  it('are put together', () => {
    const incoming = new Incoming(1_024, 100);
    expect(incoming.append(part, 2, 6, false)).toBe('taken');
    expect(incoming.isOpen).toBe(true);
    expect(incoming.append(part, 0, 8, false)).toBe('taken');
    expect(Buffer.from(incoming.takeMessage()).toString()).toBe('part--part--');
    expect(incoming.isOpen).toBe(false);
  });

  it('are of one kind, and together no longer than a message may be', () => {
    const incoming = new Incoming(1_024, 10);
    incoming.append(part, 0, 8, false);
    expect(incoming.append(part, 0, 1, true)).toBe('other-kind');
    expect(incoming.append(part, 0, 3, false)).toBe('too-big');
    expect(incoming.append(part, 0, 2, false)).toBe('taken');
  });
});
