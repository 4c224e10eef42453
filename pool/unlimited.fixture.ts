import type { ClientAllowance, ClientName, ClientSide } from './client-side.ts';

/** A client that no rate limit applies to, and that reads whatever it is sent. */
export const unlimited: ClientAllowance & ClientName & Pick<ClientSide, 'unreadBytes' | 'endSlowReader'> = {
  id: 1,
  requestId: '',
  isLimited: false,
  charge: () => 0,
  chargeBatch: () => [],
  unreadBytes: () => 0,
  endSlowReader: () => {
    throw new Error('bug: this client is not slow');
  },
};
