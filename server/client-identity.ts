import type { Config } from './config/schema.ts';
import type { UpgradeRequest } from './handshake.ts';

const maxLength = 1_024;

/** Who a client says it is, in the header or query parameter of the config; undefined when it does not say. */
export function clientIdentity(
  request: UpgradeRequest,
  { header, query }: Config['identity'],
): string | undefined {
  const fromHeader = header === null ? '' : request.header(header);
  const found = fromHeader !== '' || query === null ? fromHeader : queryValue(request.query, query);
  // Marked, so that nobody can take the name of an address.
  return found === '' ? undefined : `id ${found.slice(0, maxLength)}`;
}

function queryValue(query: string, name: string): string {
  return new URLSearchParams(query).get(name) ?? '';
}
