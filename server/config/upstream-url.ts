/** The upstream that answers inside the gateway. */
export const ECHO = 'echo:';

const unixForm = /^ws\+unix:(?:\/\/)?\/[^:]*[^:/](?::\/.*)?$/;

/** What keeps `text` from being the URL of an upstream, as a predicate; undefined when it is one. */
export function upstreamUrlProblem(text: string): string | undefined {
  if (text === ECHO) return undefined;
  if (text.includes('#')) return 'has a fragment, which a WebSocket URL cannot have';
  if (/\s/.test(text)) return 'has white space in it';
  if (text.startsWith('ws+unix:')) {
    return unixForm.test(text) ? undefined : 'is not ws+unix:/path/to.sock[:/request/path]';
  }
  if (!/^wss?:\/\//i.test(text) || !URL.canParse(text))
    return 'is not a ws://, wss:// or ws+unix: URL or echo:';
  return hasBadUserinfo(new URL(text))
    ? 'has percent-encoding in its credentials that does not decode'
    : undefined;
}

function hasBadUserinfo({ username, password }: URL): boolean {
  try {
    decodeURIComponent(username + password);
    return false;
  } catch {
    return true;
  }
}
