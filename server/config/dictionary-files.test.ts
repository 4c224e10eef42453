import { expect, it } from 'vitest';
import { dictionaryProblems } from './dictionary-files.ts';
import { completeConfig, loadConfig } from './load.ts';
import { keyText } from './tree.ts';

/** A dictionary of 256 bytes that `zstd --train` made of short JSON-RPC calls. */
const trained = Buffer.from(
  'N6Qw7OkDAAAZEOAKlQ7/////66/8u9ubSCll4mpo3FprLeMFAAAAWSRGAAAABAAAAAAAAAAAAF9ICAAAAAAAAH6p42kDAADADACAAAAAAAAA' +
    '9ArWVAYAAAAAAAAAAAAAAAAAAAEAAAAEAAAACAAAAHJwYyI6IjIuMCIsImlkIjo5NCwibWV0aG9kIjoibTMiLCJwYXJhbXMiOls4ODM2XX0K' +
    'cnBjIjoiMi4wIiwiaWQiOjc3LCJtZXRob2QiOiJtMCIsInBhcmFtcyI6WzU5MjldfQpjIjoiMi4wIiwiaWQiOjIxOSwibWV0aG9kIjoibTIi' +
    'LCJwYXJhbXMiOls0Nw==',
  'base64',
);

function withId(id: number): Buffer {
  const copy = Buffer.from(trained);
  copy.writeUInt32LE(id, 4);
  return copy;
}

const files: Readonly<Record<string, Buffer>> = {
  'new.zst': withId(2_000),
  'old.zst': withId(1_000),
  'copy.zst': withId(2_000),
  'other.zst': withId(3_000),
  'notes.txt': Buffer.from('these are notes'),
  'empty.zst': Buffer.alloc(0),
  'zero.zst': withId(0),
  'cut.zst': trained.subarray(0, 40),
};

function readBytes(file: string): Uint8Array {
  const bytes = files[file];
  if (bytes === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  return bytes;
}

function problemsOf(dictionary: unknown): string[] {
  return dictionaryProblems({ codec: { zstd: { dictionary } } }, readBytes).map(
    ({ path, value, problem }) => `${keyText(path)}: ${String(value)} ${problem}`,
  );
}

it.each([
  ['none', null],
  ['one', 'new.zst'],
  ['one for packing and older ones for unpacking', ['new.zst', 'old.zst', 'other.zst']],
])('finds nothing wrong with %s', (_, dictionary) => expect(problemsOf(dictionary)).toEqual([]));

it.each([
  ['that is not there', 'absent.zst', ': absent.zst does not exist'],
  ['that is a text', 'notes.txt', ': notes.txt is not a zstd dictionary: it has no zstd dictionary header'],
  ['that is empty', 'empty.zst', ': empty.zst is not a zstd dictionary: it has no zstd dictionary header'],
  ['that has no id', 'zero.zst', ': zero.zst is not a zstd dictionary: its id is 0'],
  ['that was cut short', 'cut.zst', ': cut.zst is a damaged zstd dictionary'],
  ['of a list', ['new.zst', 'absent.zst'], '[1]: absent.zst does not exist'],
])('says what is wrong with one %s', (_, dictionary, line) =>
  expect(problemsOf(dictionary)).toEqual([`codec.zstd.dictionary${line}`]),
);

it('refuses two with one id, which no frame could tell apart', () => {
  expect(problemsOf(['new.zst', 'old.zst', 'copy.zst'])).toEqual([
    'codec.zstd.dictionary[2]: copy.zst has the id of codec.zstd.dictionary[0] too (2000)',
  ]);
});

it('leaves what is not the name of a file to the schema', () => {
  for (const dictionary of [1, true, {}, '', ' ', [[], 5, null]]) expect(problemsOf(dictionary)).toEqual([]);
});

it('is part of loading a configuration', () => {
  const load = (dictionary: string[]): unknown =>
    loadConfig({
      file: 'w.json',
      env: {},
      flags: {},
      readFile: () => JSON.stringify({ codec: { zstd: { dictionary } } }),
      readBytes,
    }).config.codec.zstd.dictionary;
  expect(load(['new.zst', 'old.zst'])).toEqual(['new.zst', 'old.zst']);
  expect(() => load(['new.zst', 'copy.zst'])).toThrow(
    'codec.zstd.dictionary[1]: "copy.zst" has the id of codec.zstd.dictionary[0] too (2000)',
  );
});

it('reads the files of a configuration that is given as an object', () => {
  expect(() => completeConfig({ codec: { zstd: { dictionary: import.meta.filename } } })).toThrow(
    'is not a zstd dictionary',
  );
});
