/** What a handshake calls itself, as logs and upstreams may be told: 1 to 128 visible ASCII characters, else ''. */
export function requestIdOf(header: string): string {
  return /^[\x21-\x7e]{1,128}$/.test(header) ? header : '';
}
