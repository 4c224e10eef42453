import { z } from 'zod';
import { codecNames } from '../../codec/registry.ts';

// Values may be templates: whatever a scenario says as a string for a number is read as one.
const whole = z.coerce.number().int().nonnegative();
const number = z.coerce.number().nonnegative();

const connect = z.strictObject({
  /** Where to; the target of the scenario unless said otherwise. Of several, each client takes the next. */
  url: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** Replaces the path of the target. */
  path: z.string().optional(),
  codec: z
    .enum(['none', ...codecNames])
    .transform((name) => (name === 'none' ? undefined : name))
    .optional(),
  subprotocols: z.array(z.string()).default([]),
  headers: z.record(z.string(), z.string()).default({}),
  /** What it is called in the figures. */
  as: z.string().optional(),
  protocolVersion: z.coerce.number().default(13),
  insecure: z.boolean().default(false),
});

const message = {
  bytes: whole.default(64),
  binary: z.boolean().default(false),
  /** True, or the method to call. */
  jsonRpc: z.union([z.boolean(), z.string()]).default(false),
  /** Sent as it is. */
  text: z.string().optional(),
  /** `none`: none is waited for. */
  reply: z.enum(['echo', 'any', 'none']).default('echo'),
};

const send = z.strictObject({
  ...message,
  count: whole.default(1),
  /** Seconds from one message to the next, at least. */
  pace: number.default(0),
  /** How many may wait for their replies. */
  inFlight: whole.min(1).default(1),
});

const rate = z.strictObject({
  ...message,
  perSecond: number.positive(),
  seconds: number.positive(),
});

const openLoop = z.strictObject({
  ...message,
  jsonRpc: message.jsonRpc.default(true),
  /** What it is called in the figures; all clients that come to one of that name share it. */
  as: z.string().min(1),
  /** Messages per second of all these clients together. */
  rate: number.positive(),
  seconds: number.positive(),
});

/** How many clients take one of several ways. */
export const clientsOfBranch = whole;

const split = z.array(
  z.strictObject({
    /** A number, or a template of one; without it, all the other clients. */
    clients: z.union([z.number(), z.string()]).optional(),
    flow: z.array(z.record(z.string(), z.unknown())),
  }),
);

const close = z.strictObject({
  code: z.coerce.number().int().default(1_000),
  reason: z.string().default(''),
  /** Without a goodbye. */
  cut: z.boolean().default(false),
});

/** The arguments of each verb. */
export const verbs = {
  connect,
  send,
  rate,
  openLoop,
  /** How many clients wait here for one another. */
  meet: whole.min(1),
  split,
  close,
  think: number,
  stopReading: z.literal(true),
  startReading: z.literal(true),
  /** Seconds to wait for the server's close. */
  awaitClose: number.positive(),
  log: z.string(),
  function: z.string(),
} as const;

/** How often a loop goes round; without either, as long as the client lives. */
export const loopLimits = z.strictObject({ count: whole.optional(), seconds: number.optional() });

export type Verb = keyof typeof verbs;
export type Connect = z.infer<typeof connect>;
export type Send = z.infer<typeof send>;
export type Rate = z.infer<typeof rate>;
export type OpenLoopArgs = z.infer<typeof openLoop>;

/** `config.engines.wsluice` */
export const engineSettings = z.strictObject({
  /** Handshakes under way at once, of each worker and address; 0 for all. */
  connectsAtOnce: whole.default(0),
  /** How many clients of a worker connect; those that arrive after them do nothing. 0 for all. */
  clients: whole.default(0),
  /** Seconds for a handshake, a reply and a close, each. */
  timeout: number.positive().default(10),
  /** Kinds of failures that are none. */
  expected: z.array(z.string()).default([]),
  /** A file in the shape of thor's generators. */
  generator: z.string().optional(),
});

export type EngineSettings = z.infer<typeof engineSettings>;

/** Returns what `value` says by the schema; throws naming `where` and what is wrong with it. */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.infer<Schema> {
  const result = schema.safeParse(value ?? {});
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message: what }) =>
    path.length === 0 ? what : `${path.join('.')}: ${what}`,
  );
  throw new Error(`${where}: ${faults.join('; ')}`);
}
