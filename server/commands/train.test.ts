import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { runTrain, type TrainFlags } from './train.ts';

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function train(
  flags: Partial<TrainFlags>,
  lines: Iterable<string>,
  now?: () => number,
): Promise<Result & { readonly file: string }> {
  const file = join(tempDir(), 'dict.zst');
  let [out, err] = ['', ''];
  const code = await runTrain({
    flags: { out: file, maxBytes: '16384', ...flags },
    stdin: Readable.from(lines, { objectMode: true }).map((line: string) => Buffer.from(`${line}\n`)),
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    signal: new AbortController().signal,
    ...(now === undefined ? {} : { now }),
  });
  return { code, out, err, file };
}

it.each([
  [{ maxBytes: '12' }, '--max-bytes 12: a whole number from 1024 to 131072 is needed'],
  [{ maxBytes: 'many' }, '--max-bytes many: a whole number from 1024 to 131072 is needed'],
  [{ id: '0' }, '--id 0: a whole number from 1 to 2147483647 is needed'],
  [{ id: '2147483648' }, '--id 2147483648: a whole number from 1 to 2147483647 is needed'],
  [{ out: '/no/such/folder/d' }, '--out /no/such/folder/d: there is no folder /no/such/folder'],
  [{ out: '/tmp' }, '--out /tmp: is a folder'],
])('says what is wrong with %j before it reads anything', async (flags, reason) => {
  const { code, out, err } = await train(flags, ['never read']);
  expect({ code, out, err }).toEqual({ code: 1, out: '', err: `train: ${reason}\n` });
});

it('leaves a file that exists alone unless it is forced', async () => {
  const out = join(tempDir(), 'kept');
  writeFileSync(out, 'as it was');
  expect(await train({ out }, [])).toMatchObject({
    code: 1,
    err: `train: --out ${out}: exists; --force writes over it\n`,
  });
  const forced = await train({ out, force: true }, []);
  expect(forced.err).toContain('too few messages');
  expect(readFileSync(out, 'utf8')).toBe('as it was');
});

it('wants 20 messages', async () => {
  const { code, err, file } = await train({}, ['{"a":1}', '"b', '{"c":3}']);
  expect({ code, err }).toEqual({
    code: 1,
    err: 'train: too few messages: 2; 20 are the least, and thousands make a good dictionary\n',
  });
  expect(existsSync(file)).toBe(false);
});

it('says every two seconds how far it has read', async () => {
  let nowMs = 0;
  const { err } = await train({}, Array(10).fill('{"a":1}'), () => (nowMs += 700));
  expect(err.split('\n').filter((line) => line.startsWith('read '))).toEqual([
    'read 3 lines, 0.0 KB …',
    'read 6 lines, 0.0 KB …',
    'read 9 lines, 0.1 KB …',
  ]);
});
