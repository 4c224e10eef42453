import { expect } from 'vitest';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';

/** Every accepted request of request mode, by how it ended, as `/metrics` has it. */
export interface Ledger {
  readonly accepted: number;
  readonly replied: number;
  readonly errored: number;
  readonly abandoned: number;
  readonly inFlight: number;
}

/** Reads the ledger of every pool together. */
export async function readLedger(gateway: Gateway): Promise<Ledger> {
  const page = await gateway.metrics();
  const ended = (end: string): number => page.sum('wsluice_requests_ended_total', { end });
  return {
    accepted: page.sum('wsluice_requests_accepted_total'),
    replied: ended('replied'),
    errored: ended('errored'),
    abandoned: ended('abandoned'),
    inFlight: page.sum('wsluice_pool_in_flight'),
  };
}

/** Waits until nothing is in flight, and then holds the gateway to accepted = replied + errored + abandoned. */
export async function expectBalanced(gateway: Gateway): Promise<Ledger> {
  return eventually(async () => {
    const ledger = await readLedger(gateway);
    expect(ledger.inFlight, 'requests in flight').toBe(0);
    expect(ledger.accepted, JSON.stringify(ledger)).toBe(ledger.replied + ledger.errored + ledger.abandoned);
    return ledger;
  });
}
