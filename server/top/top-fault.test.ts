import { expect, it } from 'vitest';
import { faultOfError, faultOfStatus } from './top-fault.ts';

it.each([
  [401, false, '', /needs the token: --token, or WSLUICE_ADMIN_TOKEN/, false],
  [401, true, '', /does not take this token/, false],
  [403, false, 'this Host is not the admin listener', /localhost or admin\.host/, false],
  [404, false, 'not here', /not the admin listener of wsluice.*404/, false],
  [503, false, '<h1>busy</h1>', /not the admin listener of wsluice/, false],
  [503, false, '{"faults":["32 are watching"]}', /^32 are watching \(503\)$/, true],
  [400, false, '{"faults":["sort is not one of"]}', /^sort is not one of \(400\)$/, false],
])('explains the status %i', (status, hasToken, body, message, passing) => {
  const fault = faultOfStatus(status, hasToken, body);
  expect(fault.message).toMatch(message);
  expect(fault.passing).toBe(passing);
});

it('explains what went wrong with the connection, and whether it may pass', () => {
  const fault = (code: string, message = '') => faultOfError(Object.assign(new Error(message), { code }));
  expect(fault('ECONNREFUSED')).toMatchObject({
    message: 'nothing listens there (ECONNREFUSED)',
    passing: true,
  });
  expect(fault('EPIPE', 'write EPIPE')).toMatchObject({ message: 'write EPIPE', passing: true });
  expect(fault('HPE_INVALID_CONSTANT').passing).toBe(false);
});

it('does not take a bug for a fault', () => {
  expect(() => faultOfError(new TypeError('bug'))).toThrow(TypeError);
});
