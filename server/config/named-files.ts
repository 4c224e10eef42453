import { createSecureContext } from 'node:tls';
import type { Problem } from './faults.ts';
import { readProblem, type ReadBytes, type ReadFile } from './config-file.ts';
import { dictionaryProblems } from './dictionary-files.ts';
import { isTree, valueAt, type Path, type Tree } from './tree.ts';

export interface FileReaders {
  readonly readFile: ReadFile;
  readonly readBytes: ReadBytes;
}

/** What is wrong with the files that a configuration names: unreadable, or not what they should be. */
export function fileProblems(tree: Tree, { readFile, readBytes }: FileReaders): Problem[] {
  const unreadable = namedFiles(tree).flatMap((path) => unreadableFile(path, tree, readFile));
  return [
    ...dictionaryProblems(tree, readBytes),
    ...(unreadable.length > 0 ? unreadable : tlsProblems(tree, readFile)),
  ];
}

function namedFiles(tree: Tree): Path[] {
  const pools = isTree(tree['pools']) ? Object.keys(tree['pools']) : [];
  return [
    ['listen', 'tls', 'cert'],
    ['listen', 'tls', 'key'],
    ...pools.map((pool) => ['pools', pool, 'tls', 'ca']),
  ];
}

function unreadableFile(path: Path, tree: Tree, readFile: ReadFile): Problem[] {
  const value = valueAt(tree, path);
  if (typeof value !== 'string' || value.trim() === '') return [];
  try {
    readFile(value);
    return [];
  } catch (error) {
    return [{ path, value, problem: readProblem(error) }];
  }
}

/** The engine would only say that it cannot listen. */
function tlsProblems(tree: Tree, readFile: ReadFile): Problem[] {
  const path = ['listen', 'tls', 'cert'];
  const cert = valueAt(tree, path);
  const key = valueAt(tree, ['listen', 'tls', 'key']);
  if (typeof cert !== 'string' || typeof key !== 'string') return [];
  try {
    createSecureContext({ cert: readFile(cert), key: readFile(key) });
    return [];
  } catch (error) {
    const { code = 'not PEM' } = error as NodeJS.ErrnoException;
    return [{ path, value: cert, problem: `is not a certificate that goes with listen.tls.key (${code})` }];
  }
}
