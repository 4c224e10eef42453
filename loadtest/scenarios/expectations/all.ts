import { z } from 'zod';
import type { Evidence } from '../evidence.ts';
import { answered, answeredSchema, ends, endsSchema, refused, refusedSchema } from './answers.ts';
import * as connections from './connections.ts';
import type { Judge, Judgement } from './expectation.ts';
import * as gateway from './gateway.ts';
import * as rates from './rates.ts';

/** An expectation as YAML states it, and how it is judged. */
interface Kind {
  readonly schema: z.ZodType;
  readonly judge: Judge<never>;
}

const kinds = {
  answered: { schema: answeredSchema, judge: answered },
  ends: { schema: endsSchema, judge: ends },
  refused: { schema: refusedSchema, judge: refused },
  rateKept: { schema: rates.rateKeptSchema, judge: rates.rateKept },
  p99Close: { schema: rates.p99CloseSchema, judge: rates.p99Close },
  admitted: { schema: rates.admittedSchema, judge: rates.admitted },
  noneDropped: { schema: connections.noneDroppedSchema, judge: connections.noneDropped },
  allIn: { schema: connections.allInSchema, judge: connections.allIn },
  stalledClosed: { schema: connections.stalledClosedSchema, judge: connections.stalledClosed },
  gaugesBack: { schema: gateway.gaugesBackSchema, judge: gateway.gaugesBack },
  memoryFlat: { schema: gateway.memoryFlatSchema, judge: gateway.memoryFlat },
  memoryBounded: { schema: gateway.memoryBoundedSchema, judge: gateway.memoryBounded },
  ledger: { schema: gateway.ledgerSchema, judge: gateway.ledger },
  backAgain: { schema: gateway.backAgainSchema, judge: gateway.backAgain },
} satisfies Record<string, Kind>;

type Name = keyof typeof kinds;

/** What a scenario expects: a list of `name: parameters`. */
export const expectationsSchema = z
  .array(
    z.strictObject(
      Object.fromEntries(Object.entries(kinds).map(([name, { schema }]) => [name, schema.optional()])) as {
        [Key in Name]: z.ZodOptional<(typeof kinds)[Key]['schema']>;
      },
    ),
  )
  .min(1);

export type Expectations = z.infer<typeof expectationsSchema>;

/** Judges every expectation; one that cannot be judged because nothing of its kind happened has failed, and says so. */
export function judgeAll(expectations: Expectations, evidence: Evidence): Judgement[] {
  return expectations.flatMap((group) =>
    Object.entries(group).map(([name, parameters]) => judgeOne(name as Name, parameters, evidence)),
  );
}

function judgeOne(name: Name, parameters: unknown, evidence: Evidence): Judgement {
  try {
    return (kinds[name].judge as Judge<unknown>)(evidence, parameters);
  } catch (error) {
    return { expectation: name, measured: (error as Error).message, passed: false };
  }
}
