import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { findTarget } from './target.ts';

it('is where serve would open it', () => {
  const noToken = { token: undefined };
  expect(findTarget({}, {})).toEqual({ url: 'http://127.0.0.1:8081', ...noToken });
  expect(findTarget({ adminPort: '9000' }, { WSLUICE_ADMIN_PORT: '9001' })).toEqual({
    url: 'http://127.0.0.1:9000',
    ...noToken,
  });
  expect(findTarget({}, { WSLUICE_ADMIN_PORT: '9001', WSLUICE_ADMIN_HOST: '::1' })).toEqual({
    url: 'http://[::1]:9001',
    ...noToken,
  });
  const env = { WSLUICE_ADMIN_TOKEN: 'correct-horse' };
  expect(findTarget({ adminHost: '0.0.0.0' }, env)).toEqual({
    url: 'http://localhost:8081',
    token: 'correct-horse',
  });
  expect(findTarget({ adminHost: '10.0.0.9', token: 'other-horse-1' }, env)).toEqual({
    url: 'http://10.0.0.9:8081',
    token: 'other-horse-1',
  });
});

it('is what the configuration file says', () => {
  const config = join(tempDir(), 'wsluice.yaml');
  writeFileSync(config, 'admin: { port: 9002, token: correct-horse }');
  expect(findTarget({ config }, {})).toEqual({ url: 'http://127.0.0.1:9002', token: 'correct-horse' });
  expect(findTarget({}, { WSLUICE_CONFIG: config })).toMatchObject({ token: 'correct-horse' });
  expect(findTarget({ admin: 'https://ops.example/gw', config }, {})).toEqual({
    url: 'https://ops.example/gw',
    token: undefined,
  });
});

it.each([
  [{ admin: 'nonsense' }, {}, /^--admin: "nonsense" is no address/],
  [{ admin: 'file:///etc/passwd' }, {}, /no address/],
  [{ adminPort: '0' }, {}, /say with --admin/],
  [{ adminPort: 'many' }, {}, /--admin-port many/],
  [{ adminHost: '10.0.0.9' }, {}, /token/],
  [{ token: 'two words' }, {}, /token/],
  [{ token: 'line\nbreak' }, {}, /token/],
])('says what is wrong with %j', (flags, env, line) => {
  const lines = findTarget(flags, env);
  expect(Array.isArray(lines) ? lines.join('\n') : lines).toMatch(line);
});
