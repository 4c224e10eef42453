import fc from 'fast-check';
import { Scan, ScanKind, type scanRequest } from './scan.ts';

/** What a scan found, in words and decoded, for comparison in a test. */
export interface Found {
  kind: keyof typeof ScanKind;
  /** The raw token. */
  id: string | undefined;
  method: string | undefined;
  fault: string;
}

/** Scans `text` in the middle of a larger buffer of quotes and brackets, so that a read past either end shows. */
export function scanText(scanner: typeof scanRequest, text: string, into: Scan = new Scan()): Found {
  const bytes = Buffer.from(text);
  const around = Buffer.from('"}]"'.repeat(4));
  const buf = Buffer.concat([around, bytes, around]);
  scanner(buf, around.length, around.length + bytes.length, into);
  const slice = (start: number, end: number): string | undefined =>
    start < 0 ? undefined : buf.toString('utf8', start, end);
  const kind = (Object.keys(ScanKind) as (keyof typeof ScanKind)[]).find(
    (name) => ScanKind[name] === into.kind,
  )!;
  return {
    kind,
    id: slice(into.idStart, into.idEnd),
    method: slice(into.methodStart, into.methodEnd),
    fault: into.fault,
  };
}

/** The value of a JSON text; undefined when JSON.parse refuses it. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Values of every kind, with strings that look like the end of a message. */
export const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom(
    '","id":5}',
    ',"id":5}',
    '\\',
    '\\"',
    '"',
    '\u0001',
    '\ud800',
    'ſ😀',
    -0,
    1e21,
    5e-324,
    [[], {}],
    '',
  ),
);

/** JSON texts of `members` in the given order, with whitespace anywhere that it may be and characters escaped at random. */
export function textOf(members: readonly (readonly [string, unknown])[], noise: readonly number[]): string {
  let turn = 0;
  const next = (): number => (noise.length === 0 ? 0 : noise[turn++ % noise.length]!);
  const space = (): string => ['', '', '', ' ', '\n', '\t', '\r', ' \r\n\t '][next() % 8]!;
  const character = (letter: string): string =>
    next() % 8 === 7 && /[a-z/]/i.test(letter)
      ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
      : JSON.stringify(letter).slice(1, -1);
  const string = (text: string): string => `"${Array.from(text, character).join('')}"`;
  const object = (entries: readonly (readonly [string, unknown])[], key: (name: string) => string): string =>
    `{${space()}${entries.map(([name, item]) => `${key(name)}${space()}:${space()}${write(item)}`).join(`${space()},${space()}`)}${space()}}`;
  const write = (item: unknown): string => {
    if (typeof item === 'string') return string(item);
    if (Array.isArray(item)) return `[${space()}${item.map(write).join(`${space()},${space()}`)}${space()}]`;
    if (typeof item === 'object' && item !== null) return object(Object.entries(item), string);
    return JSON.stringify(item);
  };
  return `${space()}${object(members, (name) => JSON.stringify(name))}${space()}`;
}
