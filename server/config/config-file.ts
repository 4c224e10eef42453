import { createRequire } from 'node:module';
import { ConfigError, fault, type Fault } from './faults.ts';
import { isTree, type Tree } from './tree.ts';

const MAX_CHARACTERS = 4 * 1024 * 1024;
const MAX_ALIASES = 100;
/** The parser recurses; a long run of openers could exhaust the stack, which the engine does not always survive. */
const TOO_DEEP = /(?:[[{?-]\s*){200}/;

/** Reads a file as text; throws what `node:fs` throws. */
export type ReadFile = (path: string) => string;
/** Reads a file as bytes; throws what `node:fs` throws. */
export type ReadBytes = (path: string) => Uint8Array;

/**
 * The mapping that a YAML or JSON file holds; an empty file holds an empty one.
 * Throws a `ConfigError` that names the file and the position of every fault.
 */
export function readConfigFile(path: string, readFile: ReadFile): Tree {
  const text = readText(path, readFile);
  if (text.length > MAX_CHARACTERS) throw oneFault(path, `is larger than ${MAX_CHARACTERS} characters`);
  if (TOO_DEEP.test(text)) throw oneFault(path, 'nests too deep');
  const tree = parse(path, text) ?? {};
  if (!isTree(tree)) throw oneFault(path, 'does not hold a mapping of keys to values at its top');
  return tree;
}

/** Why a file cannot be read, in a few words. */
export function readProblem(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'cannot be read: permission denied';
  return code === 'EISDIR' ? 'is a directory' : `cannot be read (${code ?? 'unknown error'})`;
}

function readText(path: string, readFile: ReadFile): string {
  try {
    return readFile(path);
  } catch (error) {
    throw oneFault(path, readProblem(error));
  }
}

function parse(path: string, text: string): unknown {
  // Loaded late: many a gateway has no file.
  const { LineCounter, parseDocument } = createRequire(import.meta.url)('yaml') as typeof import('yaml');
  const lineCounter = new LineCounter();
  const settings = {
    lineCounter,
    prettyErrors: false,
    stringKeys: true,
    version: '1.2',
    schema: 'core',
  } as const;
  let faults: Fault[];
  try {
    const document = parseDocument(text, settings);
    faults = [...document.errors, ...document.warnings].map(({ message, pos }) => {
      const { line, col } = lineCounter.linePos(pos[0]);
      return fault(`${path}:${line}:${col}`, '', withoutSource(message));
    });
    if (faults.length === 0) return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    // Unresolved and excessive aliases, and nesting that is too deep for the parser.
    throw oneFault(path, withoutSource((error as Error).message));
  }
  throw new ConfigError(faults);
}

/** The parser quotes what it stumbled over, which may be a secret. */
function withoutSource(message: string): string {
  return message.replace(/: ".*$/s, '').replaceAll('\n', ' ');
}

function oneFault(path: string, problem: string): ConfigError {
  return new ConfigError([fault(path, '', problem)]);
}
