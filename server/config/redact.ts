const MAX_SHOWN = 120;

/** `text` without what may be secret in a URL: userinfo, query and fragment. */
export function redactUrl(text: string): string {
  const withoutUserinfo = text.replace(/^([a-z][a-z0-9+.-]*:\/{1,2})?.*@/is, '$1***@');
  return withoutUserinfo.replace(/([?#]).*$/s, '$1***');
}

/** A config value as a fault may print it: on one line, bounded, without secrets; `text` as JSON unless `bare`. */
export function shown(value: unknown, { bare = false } = {}): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  if (typeof value !== 'string') return `${value as number | boolean | null}`;
  const text = /[@?#]/.test(value) ? redactUrl(value) : value;
  const short = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
  const quoted = JSON.stringify(short);
  return bare && quoted === `"${short}"` ? short : quoted;
}
