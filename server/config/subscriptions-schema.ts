import { z } from 'zod';
import { bytes, checkedText, filledText, MIB, milliseconds, oneOf, distinct, whole } from './scalars.ts';

const methodName = filledText('a method name');

const paramsPath = checkedText(
  'a path inside params, such as subscription, 0 or _meta.progressToken',
  (text) => (/^[^.]+(\.[^.]+)*$/.test(text) ? undefined : 'is not a path inside params'),
);

const presetName = oneOf(['ethereum', 'mcp', 'lsp']);

const custom = z.strictObject({
  subscribe: methodName.meta({ description: 'Method that begins one; its result is the id.' }),
  unsubscribe: methodName.meta({ description: 'Method that ends one.' }),
  notification: methodName.meta({ description: 'Method of the notifications that carry what it brings.' }),
  idAt: paramsPath
    .default('subscription')
    .meta({ description: 'Where a notification has the id: a path inside its params.' }),
  unsubscribeIdAt: paramsPath
    .default('0')
    .meta({ description: 'Where an unsubscribe has the id: a path inside its params.' }),
});

const progress = z.strictObject({
  notification: methodName.meta({ description: 'Method of the notifications that report on a request.' }),
  tokenAt: paramsPath
    .default('token')
    .meta({ description: 'Where a notification has the token: a path inside its params.' }),
  requestTokensAt: distinct(paramsPath, 10)
    .default(['token'])
    .meta({ description: 'Where a request may have tokens: paths inside its params.' }),
});

const cancel = z.strictObject({
  method: methodName.meta({ description: 'Method of the notification that gives a request up.' }),
  idAt: paramsPath
    .default('id')
    .meta({ description: 'Where it has the id of that request: a path inside its params.' }),
});

const ask = z.strictObject({
  method: methodName.meta({ description: 'Method of a request that upstreams make.' }),
  tokenAt: paramsPath.nullable().default(null).meta({
    description:
      'Where it has a progress token or subscription id that tells which client is asked; null = nothing does, and only a client that has its connection to itself is.',
  }),
});

const section = z.strictObject({
  presets: distinct(presetName, 10).default([]).meta({ description: 'Protocols that are known by name.' }),
  custom: z.array(custom).max(1_000).default([]).meta({ description: 'Subscription protocols of your own.' }),
  progress: z.array(progress).max(1_000).default([]).meta({
    description: 'Reports on requests under way: tokens are made unique, and put back in what comes.',
  }),
  cancel: z.array(cancel).max(100).default([]).meta({
    description:
      'Ways to give a request up. Clients’ own are translated; the first is sent for what a client had in flight when it left.',
  }),
  asks: z.array(ask).max(1_000).default([]).meta({
    description:
      'Requests of upstreams that are passed on to the client asked; others are answered with -32601.',
  }),
  coalesce: z.boolean().default(false).meta({
    description: 'Let identical subscriptions (same method, same bytes of params) share one upstream.',
  }),
  whenLost: oneOf(['restore', 'close']).default('restore').meta({
    description:
      'When an upstream connection dies: subscribe again over another one, or close the clients that had a subscription there (1012), so that they know of the gap.',
  }),
  restoreTimeoutMs: milliseconds(1)
    .default(30_000)
    .meta({ description: 'Milliseconds that restoring may take; after that its clients are closed (1012).' }),
  maxPerClient: whole(1, 1_000_000).default(100).meta({ description: 'Subscriptions of one client.' }),
  maxPerPool: whole(1, 10_000_000).default(100_000).meta({ description: 'Subscriptions of all clients.' }),
  maxEarlyBytes: bytes(0).default(MIB).meta({
    description:
      'Bytes of notifications kept for each upstream connection that come before the reply that says whose they are.',
  }),
});

/** The name of a preset alone stands for a section with nothing else in it. */
export const subscriptions = z
  .union([presetName.transform((name) => section.parse({ presets: [name] })), section, z.null()])
  .prefault(null)
  .meta({
    description:
      'What upstreams send unasked, and how it is known whose it is: a preset, or a section (request mode); null = such messages are dropped.',
  });
