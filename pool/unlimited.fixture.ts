import type { ClientAllowance } from './client-side.ts';

/** A client that no rate limit applies to. */
export const unlimited: ClientAllowance = {
  isLimited: false,
  charge: () => 0,
  chargeBatch: () => [],
};
