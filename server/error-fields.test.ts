import { expect, test } from 'vitest';
import { errorFields } from './error-fields.ts';

function raise(error: unknown): never {
  throw error;
}

function thrown(throws: () => unknown): unknown {
  try {
    return throws();
  } catch (error) {
    return error;
  }
}

test.each([
  ['JSON.parse', (): unknown => JSON.parse('canary-canary')],
  ['a URL', () => new URL('canary-canary')],
  ['the engine', () => 'x' in ('canary-canary' as unknown as object)],
  ['a library', () => raise(new Error('a\n    at canary-canary\nb'))],
  ['whoever throws a text', () => raise('canary-canary')],
])('tells where %s threw, and not what it said', (_, throws) => {
  const fields = errorFields(thrown(throws));
  expect(JSON.stringify(fields)).not.toContain('canary');
  expect(fields.message).toBeUndefined();
});

test.each([
  [new Error('bug: a lease was released twice'), 'bug: a lease was released twice'],
  [
    Object.assign(new Error('there is no pool named "x"'), { code: 'WSLUICE_POOL' }),
    'there is no pool named "x"',
  ],
  [
    Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:9'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    }),
    'connect ECONNREFUSED 127.0.0.1:9',
  ],
])('tells what %s says', (error, message) => {
  expect(errorFields(error)).toMatchObject({ type: 'Error', message });
  expect(errorFields(error).stack).toMatch(/^ {4}at .*error-fields\.test\.ts:\d+:\d+/);
});
