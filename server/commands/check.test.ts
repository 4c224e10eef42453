import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { runCheck } from './check.ts';

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly file: string;
}

function check(text: string | undefined, env?: NodeJS.ProcessEnv): Result {
  const file = join(tempDir(), 'wsluice.yaml');
  if (text !== undefined) writeFileSync(file, text);
  let [out, err] = ['', ''];
  const stdout = { write: (chunk: string) => (out += chunk) };
  const stderr = { write: (chunk: string) => (err += chunk) };
  const code = runCheck(file, { stdout, stderr, ...(env === undefined ? {} : { env }) });
  return { code, out, err, file };
}

it('says what a good file describes, with its notices, and returns 0', () => {
  const { code, out, err, file } = check(
    'routes: [{ path: /a, pool: a }, { path: /b, pool: b }]\npools: { a: { upstreams: [ws://x, ws://y] }, b: { mode: request } }\nworkers: 2',
  );
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toBe(
    `ok: ${file}: 2 routes; pools a (session, 2 upstreams), b (request, 1 upstream)\n` +
      'note: workers has no effect in this version: there is one\n',
  );
});

it('writes every fault on a line of its own and returns 1', () => {
  const { code, out, err } = check('listen: { port: x, prot: 1 }');
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err.trimEnd().split('\n')).toHaveLength(2);
});

it('returns 1 for a file that is not there', () => {
  const { code, err, file } = check(undefined);
  expect({ code, err }).toEqual({ code: 1, err: `${file}: does not exist\n` });
});

it('looks at the file by itself unless it is given an environment', () => {
  expect(check('admin: { host: 0.0.0.0 }').code).toBe(1);
  expect(check('admin: { host: 0.0.0.0 }', { WSLUICE_ADMIN_TOKEN: 'long-enough' }).code).toBe(0);
});
