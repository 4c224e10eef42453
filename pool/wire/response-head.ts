/** An HTTP/1.1 response head, its header names in lower case. */
export interface ResponseHead {
  readonly version: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, readonly string[]>;
}

/** A field name or a subprotocol (RFC 9110 section 5.6.2). */
export const HTTP_TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const STATUS_LINE = /^(HTTP\/1\.[01]) ([1-9]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;
/** What is shown of a status line: the version and the status. */
const STATUS_LENGTH = 12;
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * Parses a response head without its final empty line, read as latin1 (RFC 9112 sections 4 and 5). Returns what is
 * wrong with it when it is not one; a folded header line is refused.
 */
export function parseResponseHead(text: string): ResponseHead | string {
  const [first = '', ...lines] = text.split('\r\n');
  const status = STATUS_LINE.exec(first);
  if (status === null) return `bad status line ${quoted(first.slice(0, STATUS_LENGTH))}`;
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0));
    const value = line.slice(colon + 1);
    // The value may be a cookie or the like.
    if (!HTTP_TOKEN.test(name) || !FIELD_VALUE.test(value))
      return name === '' ? 'bad header line' : `bad header line ${quoted(name)}`;
    const values = headers.get(name.toLowerCase());
    if (values === undefined) headers.set(name.toLowerCase(), [trimmed(value)]);
    else values.push(trimmed(value));
  }
  return { version: status[1]!, status: Number(status[2]), headers };
}

/** At most 80 characters of what a peer sent, fit for a message: in quotes, control characters escaped. */
export function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function trimmed(value: string): string {
  return value.replace(/^[\t ]+/, '').replace(/[\t ]+$/, '');
}
