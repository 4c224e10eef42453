import type { LimitSnapshot, LimitsSnapshot } from '../../server/admin/limits-control.ts';
import type { ConfigInput } from '../../server/config/schema.ts';

/** A limit as `rateLimits` takes it. */
export type LimitInput = NonNullable<ConfigInput['rateLimits']>[number];

/** What PUT /api/limits answered: the limits that hold now, or the faults. */
export interface PutReply {
  readonly status: number;
  readonly limits: readonly LimitSnapshot[] | undefined;
  readonly faults: readonly string[] | undefined;
}

interface Admin {
  readonly adminUrl: string;
}

/** What GET /api/limits says now; throws when it says anything but 200. */
export async function getLimits({ adminUrl }: Admin): Promise<LimitsSnapshot> {
  const response = await fetch(`${adminUrl}/api/limits`);
  if (response.status !== 200) throw new Error(`GET /api/limits: ${response.status}`);
  return (await response.json()) as LimitsSnapshot;
}

/** Replaces all limits; throws when the answer is not JSON. */
export async function putLimits({ adminUrl }: Admin, limits: readonly LimitInput[]): Promise<PutReply> {
  const response = await fetch(`${adminUrl}/api/limits`, { method: 'PUT', body: JSON.stringify(limits) });
  const body = (await response.json()) as Partial<LimitsSnapshot & Pick<PutReply, 'faults'>>;
  return { status: response.status, limits: body.limits, faults: body.faults };
}
