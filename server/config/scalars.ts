import { z } from 'zod';

/** What a schema node says about itself beyond JSON Schema; stripped from the published JSON Schema. */
export interface Annotations {
  /** What is allowed, as it reads after "is not". */
  readonly allowed?: string;
  /** Values of the contract that this version does not serve yet. */
  readonly later?: readonly string[];
}

const KIB = 1024;
/** Bytes in a mebibyte. */
export const MIB = KIB * KIB;

/** A whole number between two bounds, both included. */
export function whole(min: number, max: number) {
  return z.int().min(min).max(max);
}

/** A duration in milliseconds, at most an hour unless said otherwise. */
export function milliseconds(min: number, max = 3_600_000) {
  return whole(min, max);
}

/** A size in bytes, at most 1 GiB unless said otherwise. */
export function bytes(min: number, max = KIB * MIB) {
  return whole(min, max);
}

/** A TCP port; 0 takes any free one. */
export const port = whole(0, 65_535);

/** A share from above 0 to 1. */
export const share = z.number().gt(0).max(1);

/** Text that `problemOf` finds nothing wrong with; the problem reads as a predicate ("has a fragment"). */
export function checkedText(allowed: string, problemOf: (text: string) => string | undefined) {
  return z
    .string()
    .superRefine((text, context) => {
      const problem = problemOf(text);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({ allowed });
}

/** Text that is not empty. */
export function filledText(allowed: string) {
  return checkedText(allowed, (text) => (text.trim() === '' ? 'is empty' : undefined));
}

/** The path of a file; load.ts checks that it can be read. */
export const filePath = filledText('the path of a file');

/** One of `values`; those in `later` are of the contract, and the fault says that they are still to come. */
export function oneOf<const T extends readonly string[]>(values: T, later: readonly string[] = []) {
  return z.enum(values).meta(later.length === 0 ? {} : { later });
}

/** A list in which nothing stands twice. */
export function distinct<T extends z.ZodType>(item: T, maxLength: number) {
  return z
    .array(item)
    .max(maxLength)
    .superRefine((list, context) => {
      const seen = new Set<unknown>();
      for (const [index, value] of list.entries()) {
        if (seen.has(value)) context.addIssue({ code: 'custom', path: [index], message: 'is listed twice' });
        seen.add(value);
      }
    });
}

/** What a cross-field rule found: the key to change, and its problem as a predicate. */
export interface Breach {
  readonly path: readonly (string | number)[];
  readonly problem: string;
  /** A key beside it; its full name stands in the problem where a % is. */
  readonly sibling?: string;
}

/**
 * Adds a cross-field rule to an object; it is left out when one of the keys it reads is at fault itself,
 * and runs whatever else is wrong.
 */
export function withRule<T extends z.ZodObject>(
  schema: T,
  keys: readonly (keyof z.output<T> & string)[],
  breaches: (value: z.output<T>) => readonly Breach[],
): T {
  return schema.superRefine(
    (value, context) => {
      for (const { path, problem, sibling } of breaches(value)) {
        context.addIssue({
          code: 'custom',
          path: [...path],
          message: problem,
          params: { rule: true, sibling },
        });
      }
    },
    { when: ({ value, issues }) => isObject(value) && !issues.some(({ path }) => touches(path, keys)) },
  );
}

/** Adds the rule that one number is not above another. */
export function withOrder<T extends z.ZodObject>(schema: T, low: NumberKey<T>, high: NumberKey<T>): T {
  return withRule(schema, [low, high], (value) => {
    const [lowest, highest] = [value[low] as number, value[high] as number];
    if (lowest <= highest) return [];
    return [
      { path: [low], sibling: high, problem: `is more than % (${highest}); lower it or raise the other` },
    ];
  });
}

type NumberKey<T extends z.ZodObject> = keyof z.output<T> & string;

function touches(path: readonly PropertyKey[] | undefined, keys: readonly string[]): boolean {
  return path !== undefined && keys.includes(path[0] as string);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
