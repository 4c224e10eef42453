const example = 'an address is like ws://localhost:8080/ws';

/** Returns the address that an argument says; throws with what is wrong with it, and what was probably meant. */
export function webSocketUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) throw new Error(`${text} is no address: ${example}`);
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    const better = text.trim().replace(/^http(s?)/i, (_, secure: string) => `ws${secure.toLowerCase()}`);
    throw new Error(`${text} is an HTTP address; its WebSocket address is probably ${better}`);
  }
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new Error(`${text} is no WebSocket address: ${example}`);
  if (url.hash !== '') throw new Error(`${text}: a WebSocket address has no fragment (${url.hash})`);
  return url;
}
