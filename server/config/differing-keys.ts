import { isDeepStrictEqual } from 'node:util';
import { isTree, keyText, type Path, type Tree } from './tree.ts';

/** The full names of the keys whose values differ, or that one of the two lacks; lists differ as a whole. */
export function differingKeys(one: Tree, other: Tree, path: Path = []): string[] {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].flatMap((key) => {
    const [first, second] = [one[key], other[key]];
    if (isTree(first) && isTree(second)) return differingKeys(first, second, [...path, key]);
    return isDeepStrictEqual(first, second) ? [] : [keyText([...path, key])];
  });
}
