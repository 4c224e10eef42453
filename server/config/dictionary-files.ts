import zlib from 'node:zlib';
import { parseDictionary, type Dictionary } from '../../codec/dictionary.ts';
import { readProblem, type ReadBytes } from './config-file.ts';
import type { Problem } from './faults.ts';
import { keyText, valueAt, type Path, type Tree } from './tree.ts';

const key: Path = ['codec', 'zstd', 'dictionary'];

/** What is wrong with the zstd dictionaries of a configuration: unreadable, not a dictionary, or two with one id. */
export function dictionaryProblems(tree: Tree, readBytes: ReadBytes): Problem[] {
  const placesById = new Map<number, Path>();
  return dictionaryFiles(tree).flatMap(({ path, file }): Problem[] => {
    const found = loadDictionary(file, readBytes);
    if (typeof found === 'string') return [{ path, value: file, problem: found }];
    const first = placesById.get(found.id);
    placesById.set(found.id, first ?? path);
    if (first === undefined) return [];
    return [{ path, value: file, problem: `has the id of ${keyText(first)} too (${found.id})` }];
  });
}

function dictionaryFiles(tree: Tree): { readonly path: Path; readonly file: string }[] {
  const value = valueAt(tree, key);
  const places = Array.isArray(value)
    ? value.map((file: unknown, index) => ({ path: [...key, index], file }))
    : [{ path: key, file: value }];
  return places.filter(isNamed);
}

function isNamed(place: {
  readonly path: Path;
  readonly file: unknown;
}): place is { readonly path: Path; readonly file: string } {
  return typeof place.file === 'string' && place.file.trim() !== '';
}

/** The dictionary, or what is wrong with the file. */
function loadDictionary(file: string, readBytes: ReadBytes): Dictionary | string {
  let bytes;
  try {
    bytes = readBytes(file);
  } catch (error) {
    return readProblem(error);
  }
  try {
    const dictionary = parseDictionary(bytes);
    // Its header says nothing about the tables behind it.
    zlib.zstdCompressSync(Buffer.from('x'), { dictionary: bytes });
    return dictionary;
  } catch (error) {
    const isCut = (error as { code?: string }).code !== 'WSLUICE_DICTIONARY';
    return isCut ? 'is a damaged zstd dictionary' : `is ${(error as Error).message}`;
  }
}
