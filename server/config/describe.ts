import { z } from 'zod';
import type { Annotations } from './scalars.ts';
import { configSchema } from './schema.ts';
import { valueAt, type Path } from './tree.ts';

/** A node of the schema in its JSON Schema form, with our annotations. */
export interface SchemaNode extends Annotations {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
}

/** One setting, as documentation shows it. */
export interface Row {
  /** Its full name, with `<name>` for a pool and `[]` for a list's entry. */
  readonly key: string;
  /** What is allowed, as it reads after "is not". */
  readonly allowed: string;
  /** Its default as JSON, or undefined when it must be given. */
  readonly defaultText: string | undefined;
  readonly description: string;
  /** Values that a later version will take. */
  readonly later: readonly string[];
}

let tree: SchemaNode | undefined;

/** The whole schema as annotated nodes; made when it is first asked for, which takes longer than reading a configuration. */
export function schemaTree(): SchemaNode {
  return (tree ??= z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode);
}

/** The published JSON Schema (draft 2020-12). */
export function publicJsonSchema(): object {
  return z.toJSONSchema(configSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      delete jsonSchema['allowed'];
      delete jsonSchema['later'];
    },
  });
}

/** Every setting below `node`, in the order of the schema; sections have no row of their own. */
export function describe(node: SchemaNode, key = ''): Row[] {
  const children = childrenOf(node);
  if (children.length === 0) return [];
  return children.flatMap(([suffix, child, required]) => {
    const childKey = suffix.startsWith('[') || key === '' ? key + suffix : `${key}.${suffix}`;
    const rows = describe(child, childKey);
    const hasOnlyRows = rows.length > 0 && alternatives(child).length === 1 && child.items === undefined;
    return hasOnlyRows || suffix === '[]' ? rows : [asRow(child, childKey, required), ...rows];
  });
}

/** What `node` allows, as it reads after "is not": "a whole number from 0 to 65535". */
export function allowedText(node: SchemaNode): string {
  const texts = alternatives(node).flatMap(allowedAlternatives);
  const others = texts.filter((text) => text !== 'null').toSorted(literalsFirst);
  if (others.length === texts.length) return listed(others);
  return `${listed(others)}${others.length > 1 ? ',' : ''} or null`;
}

/** Whether a mapping belongs there. */
export function isSection(node: SchemaNode): boolean {
  return alternatives(node).some(({ type }) => type === 'object');
}

/** The node that describes what stands at `path`, or undefined when the schema has no such place. */
export function nodeAt(root: SchemaNode, path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = root;
  for (const step of path) {
    const holders: readonly SchemaNode[] = alternatives(node);
    node = holders.map((holder) => childAt(holder, step)).find((child) => child !== undefined);
    if (node === undefined) return undefined;
  }
  return node;
}

/** What stands at `path` when it is not given, as far as a section or list above it has a default; else undefined. */
export function defaultAt(root: SchemaNode, path: Path): unknown {
  for (let depth = path.length; depth > 0; depth -= 1) {
    const found = valueAt(nodeAt(root, path.slice(0, depth))?.default, path.slice(depth));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The names of the keys that `node` has. */
export function keysOf(node: SchemaNode | undefined): string[] {
  return node === undefined
    ? []
    : alternatives(node).flatMap(({ properties = {} }) => Object.keys(properties));
}

type Child = readonly [suffix: string, node: SchemaNode, required: boolean];

function childrenOf(node: SchemaNode): Child[] {
  return alternatives(node).flatMap(
    ({ properties = {}, required = [], additionalProperties, items }): Child[] => [
      ...Object.entries(properties).map(([name, child]): Child => [name, child, required.includes(name)]),
      // Names that only have a value each are one setting.
      ...(typeof additionalProperties === 'object' && childrenOf(additionalProperties).length > 0
        ? [['<name>', additionalProperties, false] as const]
        : []),
      ...(items === undefined ? [] : [['[]', items, false] as const]),
    ],
  );
}

function childAt(
  { properties = {}, additionalProperties, items }: SchemaNode,
  step: PropertyKey,
): SchemaNode | undefined {
  if (typeof step === 'number') return items;
  if (Object.hasOwn(properties, step)) return properties[step as string];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return node.anyOf ?? [node];
}

function asRow(node: SchemaNode, key: string, required: boolean): Row {
  return {
    key,
    allowed: allowedText(node),
    defaultText: required ? undefined : JSON.stringify(node.default),
    description: node.description ?? '',
    later: node.later ?? [],
  };
}

function allowedAlternatives(node: SchemaNode): string[] {
  if (node.allowed !== undefined) return [node.allowed];
  if (node.enum !== undefined) return node.enum.map(String);
  if (node.const !== undefined) return [JSON.stringify(node.const).replaceAll('"', '')];
  if (node.type === 'integer' || node.type === 'number') return [numberText(node)];
  if (node.type === 'array') return [arrayText(node)];
  if (node.type === 'object') return ['a mapping'];
  if (node.type === 'boolean') return ['true', 'false'];
  return [node.type === 'null' ? 'null' : 'text'];
}

function numberText({ type, minimum, maximum, exclusiveMinimum }: SchemaNode): string {
  const noun = type === 'integer' ? 'a whole number' : 'a number';
  return exclusiveMinimum === undefined
    ? `${noun} from ${minimum} to ${maximum}`
    : `${noun} above ${exclusiveMinimum} and at most ${maximum}`;
}

function arrayText({ items = {}, minItems = 0 }: SchemaNode): string {
  const noun = minItems > 0 ? 'a list that is not empty' : 'a list';
  return items.properties === undefined
    ? `${noun}; each entry: ${allowedText(items)}`
    : `${noun}, of mappings`;
}

/** Literals read best in front of texts with spaces in them; the order is otherwise kept. */
function literalsFirst(a: string, b: string): number {
  return Number(a.includes(' ')) - Number(b.includes(' '));
}

function listed(texts: readonly string[]): string {
  const last = texts.at(-1) ?? '';
  return texts.length < 2 ? last : `${texts.slice(0, -1).join(', ')} or ${last}`;
}
