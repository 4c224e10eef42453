import { expect, it } from 'vitest';
import { ask, openAdmin } from './admin.fixture.ts';
import type { HealthReport } from './health-control.ts';

const healthy = (status: HealthReport['status']) => ({ report: () => ({ status }) as HealthReport });

it.each([
  ['ok', 200],
  ['degraded', 200],
  ['down', 503],
] as const)('/health/detailed of a gateway that is %s answers %i', async (status, code) => {
  const { port } = await openAdmin({ health: healthy(status) });
  const answer = await ask(port, '/health/detailed');
  expect([answer.status, JSON.parse(answer.body)]).toEqual([code, { status }]);
  expect((await ask(port, '/health/detailed', {}, 'HEAD')).status).toBe(code);
});

it('/health/detailed needs the token, where there is one', async () => {
  const { port } = await openAdmin({ health: healthy('ok'), token: 'secret' });
  expect((await ask(port, '/health/detailed')).status).toBe(401);
  expect((await ask(port, '/health/detailed', { authorization: 'Bearer secret' })).status).toBe(200);
});
