/** How a rate limit is written in one word. */
export const rateLimitForm = '<strategy>:<n>/s[,burst=<n>][,per=connection|ip|identity|global]';

/** The `rateLimits` entry of `token-bucket:100/s,burst=200,per=ip`, its values still unchecked; undefined when the form is another. */
export function parseRateLimit(text: string): Record<string, unknown> | undefined {
  const [head = '', ...options] = text.trim().split(',');
  const [, strategy, rate] = /^([^:]+):(\d+(?:\.\d+)?)\/s$/.exec(head) ?? [];
  if (strategy === undefined) return undefined;
  const entry: Record<string, unknown> = { scope: 'connection', strategy, requestsPerSecond: Number(rate) };
  for (const option of options) {
    const [, burst, scope] = /^(?:burst=(.+)|per=(connection|ip|identity|global))$/.exec(option) ?? [];
    if (burst !== undefined) entry['burst'] = numberOrText(burst);
    else if (scope !== undefined) entry['scope'] = scope;
    else return undefined;
  }
  return entry;
}

/** A decimal number, or the text itself so that the schema names it as the fault. */
export function numberOrText(text: string): number | string {
  return /^-?\d{1,20}(\.\d{1,20})?$/.test(text) ? Number(text) : text;
}
