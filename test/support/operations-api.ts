import type { ClientsPage } from '../../server/admin/clients-control.ts';
import type { PoolReport, UpstreamReport } from '../../server/admin/pools-control.ts';

/** What the admin listener answered, as JSON. */
export interface AdminReply<T> {
  readonly status: number;
  readonly body: T & { readonly faults?: readonly string[] };
}

interface Admin {
  readonly adminUrl: string;
}

/** Asks the admin listener; throws when the answer is no JSON. */
export async function askAdmin<T>(
  { adminUrl }: Admin,
  method: string,
  path: string,
  body?: object,
): Promise<AdminReply<T>> {
  const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
  const response = await fetch(adminUrl + path, init);
  return { status: response.status, body: (await response.json()) as AdminReply<T>['body'] };
}

/** The pool main, now. */
export async function mainPool(admin: Admin): Promise<PoolReport> {
  return (await askAdmin<PoolReport>(admin, 'GET', '/api/pools/main')).body;
}

/** The upstreams of all pools, now. */
export async function upstreams(admin: Admin): Promise<readonly UpstreamReport[]> {
  return (await askAdmin<{ upstreams: UpstreamReport[] }>(admin, 'GET', '/api/upstreams')).body.upstreams;
}

/** The clients, now. */
export async function clientsPage(admin: Admin, query = ''): Promise<ClientsPage> {
  return (await askAdmin<ClientsPage>(admin, 'GET', `/api/clients${query}`)).body;
}

/** Pauses, resumes or reconnects the pool main. */
export function operate(admin: Admin, what: string): Promise<AdminReply<PoolReport>> {
  return askAdmin<PoolReport>(admin, 'POST', `/api/pools/main/${what}`);
}
