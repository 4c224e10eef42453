import { expect, it } from 'vitest';
import type { HealthReport } from '../server/admin/health-control.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import { askAdmin } from './support/operations-api.ts';
import { startRedis } from './support/redis.ts';

it('/health/detailed says whether Redis answers, and since when', async () => {
  const redis = await startRedis();
  const gateway = await startGateway({ args: ['--redis', redis.url] });
  const health = async (): Promise<HealthReport> =>
    (await askAdmin<HealthReport>(gateway, 'GET', '/health/detailed')).body;

  expect(await health()).toMatchObject({ status: 'ok', redis: { state: 'up' } });
  await redis.kill();
  await eventually(async () => {
    const { status, problems, redis: link } = await health();
    expect([status, problems, link!.state]).toEqual(['degraded', ['Redis does not answer'], 'down']);
  });
  const { since, ageSeconds } = (await health()).redis!;
  expect(ageSeconds).toBeLessThan((await health()).uptimeSeconds);
  expect((await health()).redis!.since.slice(0, 21)).toBe(since.slice(0, 21));
  await redis.restart();
  await eventually(async () =>
    expect(await health()).toMatchObject({ status: 'ok', redis: { state: 'up' } }),
  );
});
