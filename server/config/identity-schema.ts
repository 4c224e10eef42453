import { z } from 'zod';
import { checkedText, oneOf, whole } from './scalars.ts';

const headerName = checkedText('a header name', (name) =>
  /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/.test(name) ? undefined : 'is not a header name',
).overwrite((name) => name.toLowerCase());

const parameterName = checkedText('a query parameter (1 to 100 letters, digits and - . _ ~ [ ])', (name) =>
  /^[\w.~[\]-]{1,100}$/.test(name)
    ? undefined
    : 'is not a query parameter (1 to 100 letters, digits and - . _ ~ [ ])',
);

/** Where clients say who they are. */
export const identitySchema = z.strictObject({
  header: headerName.nullable().default(null).meta({
    description: 'Request header of the upgrade that says who the client is; null = none does.',
  }),
  query: parameterName.nullable().default(null).meta({
    description: 'Query parameter that says it where the header does not; null = none does.',
  }),
});

/** How many clients' allowances are kept, and how they are shown. */
export const rateLimitKeysSchema = z.strictObject({
  maxPerLimit: whole(1_000, 1_000_000).default(100_000).meta({
    description:
      'Addresses or identities that one limit keeps apart; beyond it, those that are not connected share what they have left with a few others.',
  }),
  show: oneOf(['hashed', 'clear']).default('hashed').meta({
    description: 'How GET /api/limits names addresses and identities.',
  }),
});
