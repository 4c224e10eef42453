import type { z } from 'zod';
import { allowedText, defaultAt, describe, isSection, keysOf, nodeAt, type SchemaNode } from './describe.ts';
import { nearest } from './did-you-mean.ts';
import { shown } from './redact.ts';
import { poolNameForm } from './schema.ts';
import { isTree, keyText, valueAt, type Path, type Tree } from './tree.ts';

/** One thing that is wrong with a configuration; nothing in it is secret. */
export interface Fault {
  /** The key, flag or environment variable at fault, or the file and position. */
  readonly key: string;
  /** Its value as it may be printed; empty when the key itself is at fault. */
  readonly value: string;
  /** What is wrong and what is allowed. */
  readonly problem: string;
  /** All of it on one line. */
  readonly line: string;
}

/** A configuration that cannot be used, with what is wrong with it: the first 100 faults, and how many more there are. */
export class ConfigError extends Error {
  readonly code = 'WSLUICE_CONFIG';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(({ line }) => line).join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }

  /** One line per fault. */
  get lines(): string[] {
    return this.faults.map(({ line }) => line);
  }
}

/** A value that did not come from the file, and how its user knows it. */
export interface Setting {
  /** Where its value goes. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** The flag or variable, as typed: `--port`, `WSLUICE_PORT`. */
  readonly name: string;
  /** The texts it was given as; where the value is a list, one for each entry. */
  readonly texts: readonly string[];
  /** How one text is to be written, where that is a form of its own. */
  readonly form?: string;
}

/** A problem at a place of a tree; it reads after the value: "is not a whole number". */
export interface Problem {
  readonly path: Path;
  readonly value: unknown;
  readonly problem: string;
  /** The problem is the key itself, so no value is shown. */
  readonly aboutKey?: boolean;
  /** The value stands where a section belongs, and may be a secret of that section. */
  readonly misplaced?: boolean;
}

/** How many unknown keys of one mapping are named. */
const maxUnknownKeys = 20;
/** How many faults of one configuration are named. */
const maxFaults = 100;

const secretKeys = new Set(['admin.token', 'redis.url']);

/** A fault in the words of whoever wrote the value: `settings` came from flags or variables, the rest from the file. */
export function asFault(found: Problem, settings: readonly Setting[] = []): Fault {
  const setting = settings.findLast(({ path }) => path.every((step, index) => step === found.path[index]));
  return setting === undefined ? fileFault(found) : settingFault(found, setting);
}

/** A fault on one line: `key: value problem`. */
export function fault(key: string, value: string, problem: string): Fault {
  return { key, value, problem, line: `${key}: ${value === '' ? '' : `${value} `}${problem}` };
}

/** Each fault once; the first of them, where there are many, and how many more were found. */
export function namedFaults(findings: readonly (() => Fault)[]): Fault[] {
  const byLine = new Map<string, Fault>();
  for (const [index, find] of findings.entries()) {
    if (byLine.size === maxFaults) return [...byLine.values(), moreFaults(findings.length - index)];
    const found = find();
    byLine.set(found.line, found);
  }
  return [...byLine.values()];
}

function moreFaults(count: number): Fault {
  return fault('the configuration', '', `has ${count} more ${count === 1 ? 'fault' : 'faults'}`);
}

function fileFault({ path, value, problem, aboutKey = false, misplaced = false }: Problem): Fault {
  const key = keyText(path);
  if (aboutKey) return fault(key, '', problem);
  return fault(key, misplaced || secretKeys.has(key) ? 'the value' : shown(value), problem);
}

function settingFault({ path, value, problem }: Problem, setting: Setting): Fault {
  const { name, texts, form } = setting;
  const rest = path.slice(setting.path.length);
  const given = texts[typeof rest[0] === 'number' ? rest[0] : 0] ?? '';
  const text = secretKeys.has(keyText(setting.path)) ? '***' : shown(given, { bare: true });
  const words =
    value === given && form !== undefined ? `not ${form}` : inContext(problem, value, given, rest);
  const isFlag = name.startsWith('--');
  return { key: name, value: text, problem: words, line: `${name}${isFlag ? ' ' : '='}${text}: ${words}` };
}

/** The text stands in front already; of a text with several parts (token-bucket:5/s) the part at fault is named. */
function inContext(problem: string, value: unknown, given: string, rest: Path): string {
  const part = rest.at(-1);
  const asTyped = problem.replace(/,? or null$/, '');
  if (typeof part !== 'string' || value === given) return asTyped.replace(/^is /, '');
  return `${part} ${shown(value, { bare: true })} ${asTyped}`;
}

/** What an issue of zod means to a user; an issue about several unknown keys is several problems. */
export function problemsOf(issue: z.core.$ZodIssue, tree: Tree, root: SchemaNode): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.keys, path, root);
  if (issue.code === 'custom') {
    const value = valueAt(tree, path) ?? defaultAt(root, path);
    return [{ path, value, problem: withSibling(issue), aboutKey: isTree(value) }];
  }
  const value = valueAt(tree, path);
  if (issue.code === 'invalid_key')
    return [{ path, value, aboutKey: true, problem: `is not ${poolNameForm}` }];
  const node = nodeAt(root, path) ?? {};
  return value === undefined
    ? [{ path, value, aboutKey: true, problem: `is missing; it takes ${allowedText(node)}` }]
    : [
        {
          path,
          value,
          problem: valueProblem(issue, value, node),
          misplaced: typeof value === 'string' && isSection(node),
        },
      ];
}

function valueProblem(issue: z.core.$ZodIssue, value: unknown, node: SchemaNode): string {
  if (issue.code === 'too_small' && Array.isArray(value)) return 'is empty';
  if (issue.code === 'too_big' && Array.isArray(value)) return `has more than ${issue.maximum} entries`;
  const allowed = allowedText(node);
  if (typeof value === 'string' && node.later?.includes(value) === true) {
    return `is not available in this version; ${allowed} is`;
  }
  // `- echo:` is a mapping to YAML.
  const looksLikeText = isTree(value) && Object.keys(value).length === 1 && Object.values(value)[0] === null;
  const hint = looksLikeText && node.type === 'string' ? '; put text that ends in a colon in quotes' : '';
  return `is not ${allowed}${hint}`;
}

/** The first of them one by one. */
function unknownKeys(keys: readonly string[], path: Path, root: SchemaNode): Problem[] {
  const named = keys.slice(0, maxUnknownKeys).map((key) => unknownKey([...path, key], root));
  const rest = keys.length - named.length;
  return rest === 0
    ? named
    : [...named, { path, value: undefined, aboutKey: true, problem: `has ${rest} more unknown keys` }];
}

/** The problem of a key that the schema does not have. */
export function unknownKey(path: Path, root: SchemaNode): Problem {
  return {
    path,
    value: undefined,
    aboutKey: true,
    // Not before it is named: what a key may have meant takes a while to find.
    get problem() {
      return `unknown key${unknownKeyHint(path, root)}`;
    },
  };
}

function unknownKeyHint(path: Path, root: SchemaNode): string {
  const key = String(path.at(-1));
  const siblings = keysOf(nodeAt(root, path.slice(0, -1)));
  const near = nearest(key, siblings);
  return near === undefined
    ? elsewhere(key, root) || thereAre(siblings)
    : `; did you mean ${keyText([...path.slice(0, -1), near])}?`;
}

/** A key that exists, but in another section. */
function elsewhere(key: string, root: SchemaNode): string {
  const places = describe(root).filter((row) => row.key.endsWith(`.${key}`));
  return places.length === 0 ? '' : `; did you mean ${places.map((row) => row.key).join(' or ')}?`;
}

function thereAre(siblings: readonly string[]): string {
  return siblings.length === 0 ? '' : `; there are ${siblings.join(', ')}`;
}

function withSibling({ message, path, params }: z.core.$ZodIssueCustom): string {
  const sibling: unknown = params?.['sibling'];
  return typeof sibling === 'string'
    ? message.replace('%', keyText([...path.slice(0, -1), sibling]))
    : message;
}
