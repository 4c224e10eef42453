import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { expectationsSchema } from './expectations/all.ts';
import type { Expectations } from './expectations/all.ts';
import { rendered } from './template.ts';
import type { Variables } from './template.ts';

const fault = z.strictObject({
  /** Seconds after the stage began. */
  after: z.number().nonnegative(),
  stage: z.string(),
  kill: z.number().int().positive().optional(),
  start: z.number().int().positive().optional(),
});

const stand = z.strictObject({
  backends: z.number().int().min(1).max(16).default(1),
  /** A configuration as in wsluice.yaml; its upstreams are filled in. */
  gateway: z.record(z.string(), z.unknown()).default({}),
  faults: z.array(fault).default([]),
});

const ours = z.strictObject({
  title: z.string(),
  /** What each variable is, and so what the command line may set. */
  variables: z.record(z.string(), z.string()),
  stand: stand.default({ backends: 1, gateway: {}, faults: [] }),
  /** Why it can be run against nothing but its own stand. */
  needsStand: z.string().optional(),
  expect: expectationsSchema,
});

const file = z.looseObject({
  config: z.looseObject({ variables: z.record(z.string(), z.union([z.number(), z.string()])).default({}) }),
  scenarios: z.array(z.looseObject({})).min(1),
  wsluice: z.looseObject({ title: z.string(), variables: z.record(z.string(), z.string()).default({}) }),
});

export type StandSpec = z.infer<typeof stand>;
export type Fault = z.infer<typeof fault>;

/** A scenario as its YAML says it, before its variables have values. */
export interface ScenarioFile {
  readonly name: string;
  readonly path: string;
  readonly title: string;
  /** By name: what it is, and its value when nobody says another. */
  readonly variables: Readonly<Record<string, { readonly about: string; readonly value: number | string }>>;
  readonly raw: unknown;
}

/** A scenario with values for its variables. */
export interface Scenario {
  readonly name: string;
  readonly path: string;
  readonly title: string;
  readonly variables: Variables;
  readonly stand: StandSpec;
  readonly needsStand: string | undefined;
  readonly expect: Expectations;
}

/** Returns the scenarios that come with wsluice, by name. */
export function knownScenarios(): ScenarioFile[] {
  return globSync(join(import.meta.dirname, '*.yml'))
    .sort()
    .map((path) => readScenario(path));
}

/** Returns the scenario of that name, or in that file; throws with the names there are. */
export function findScenario(name: string): ScenarioFile {
  const own = join(import.meta.dirname, `${name}.yml`);
  if (/^[\w-]+$/.test(name) && existsSync(own)) return readScenario(own);
  if (/\.(ya?ml|json)$/.test(name)) return readScenario(resolve(name));
  const names = knownScenarios().map((known) => known.name);
  throw new Error(
    `there is no scenario ${name}; there are ${names.join(', ')}, or name a file that ends in .yml`,
  );
}

/** Returns the scenario with `values` over its own; throws when it has no such variable. */
export function withValues(scenario: ScenarioFile, values: Variables): Scenario {
  const { name, path, title, raw } = scenario;
  const variables: Record<string, number | string> = {};
  for (const [variable, { value }] of Object.entries(scenario.variables)) variables[variable] = value;
  for (const [variable, value] of Object.entries(values)) {
    if (variables[variable] === undefined) throw new Error(unknownVariable(scenario, variable));
    if (typeof variables[variable] === 'number' && typeof value !== 'number')
      throw new Error(`${variable}=${value}: ${name} needs a number there`);
    variables[variable] = value;
  }
  const section = (raw as { wsluice: unknown }).wsluice;
  const parsed = ours.safeParse(rendered(section, variables));
  if (!parsed.success) throw new Error(`${path}: wsluice:\n${z.prettifyError(parsed.error)}`);
  return { name, path, title, variables, ...pick(parsed.data) };
}

function pick({
  stand,
  needsStand,
  expect,
}: z.infer<typeof ours>): Pick<Scenario, 'stand' | 'needsStand' | 'expect'> {
  return { stand, needsStand, expect };
}

function readScenario(path: string): ScenarioFile {
  const raw = parsedFile(path);
  const checked = file.safeParse(raw);
  if (!checked.success) throw new Error(`${path} is no scenario\n${z.prettifyError(checked.error)}`);
  const { config, wsluice } = checked.data;
  const variables = Object.entries(config.variables).map(([name, value]) => [
    name,
    { about: wsluice.variables[name] ?? '', value },
  ]);
  return {
    name: basename(path).replace(/\.\w+$/, ''),
    path,
    title: wsluice.title,
    variables: Object.fromEntries(variables) as ScenarioFile['variables'],
    raw,
  };
}

function parsedFile(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, { cause: error });
  }
  try {
    return parse(text);
  } catch (error) {
    throw new Error(`${path} is no YAML: ${(error as Error).message}`, { cause: error });
  }
}

function unknownVariable({ name, variables }: ScenarioFile, wanted: string): string {
  const has = Object.keys(variables);
  return `the scenario ${name} has no ${wanted}; what it has: ${has.join(', ') || 'nothing to set'}`;
}
