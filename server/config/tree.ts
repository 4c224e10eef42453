/** Configuration as it was written, before the schema has looked at it. */
export type Tree = Record<string, unknown>;
/** Where a value stands in a tree. */
export type Path = readonly PropertyKey[];

/** Whether `value` is a mapping of keys to values. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at `path` by own keys alone, or undefined when nothing does. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

/** A new tree with `above` laid over `below`: mappings are merged, everything else is replaced. */
export function overlay(below: Tree, above: Tree): Tree {
  const result = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const under = Object.hasOwn(result, key) ? result[key] : undefined;
    if (key !== '__proto__') result[key] = isTree(value) && isTree(under) ? overlay(under, value) : value;
  }
  return result;
}

/** A tree with nothing but `value` at `path`. */
export function treeOf(path: readonly string[], value: unknown): Tree {
  const [first, ...rest] = path;
  if (first === undefined) throw new Error('bug: a tree needs a path');
  return { [first]: rest.length === 0 ? value : treeOf(rest, value) };
}

/** A path as people write it: `routes[0].pool`. */
export function keyText(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

/** The paths of all `__proto__` keys, which object literals and zod's records would lose in silence. */
export function protoPaths(tree: unknown, depth = 8): Path[] {
  if (typeof tree !== 'object' || tree === null || depth === 0) return [];
  return Object.entries(tree).flatMap(([key, value]) => {
    const step = Array.isArray(tree) ? Number(key) : key;
    const below = protoPaths(value, depth - 1).map((path) => [step, ...path]);
    return key === '__proto__' ? [[key]] : below;
  });
}
