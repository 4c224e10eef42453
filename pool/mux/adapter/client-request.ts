import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { OpenRequest } from './open-request.ts';

/** Headers that are about the connection, which for a client on a stream is another one, and those that only we set. */
const ownHeaders = /^(sec-websocket-.*|connection|upgrade|transfer-encoding|content-length|wsluice-.*)$/;

/** Any key will do: it guards against caches, and there is none in this process. */
const handshake: readonly (readonly [string, string])[] = [
  ['connection', 'Upgrade'],
  ['upgrade', 'websocket'],
  ['sec-websocket-version', '13'],
  ['sec-websocket-key', 'd3NsdWljZS5tdXgudjEuLg=='],
];

/** The upgrade request of a client on a stream, as Node's HTTP server would have made it. */
export function clientRequest(open: OpenRequest, socket: Duplex): IncomingMessage {
  // It is a socket in all that a server asks of it.
  const request = new IncomingMessage(socket as Socket);
  request.method = 'GET';
  request.url = open.path;
  request.httpVersion = '1.1';
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.complete = true;
  const pairs = open.headers.filter(([name]) => !ownHeaders.test(name)).concat(handshake);
  if (open.protocols.length > 0) pairs.push(['sec-websocket-protocol', open.protocols.join(', ')]);
  if (open.resumed) pairs.push(['wsluice-resumed', 'true']);
  request.rawHeaders = pairs.flat();
  request.headers = joinHeaders(pairs);
  return request;
}

/** As Node joins headers that come more than once; of those that may come only once it keeps the first as well. */
function joinHeaders(pairs: OpenRequest['headers']): NodeJS.Dict<string> {
  const joined = new Map<string, string>();
  for (const [name, value] of pairs) {
    const before = joined.get(name);
    if (before === undefined) joined.set(name, value);
    else if (!onlyOnce.has(name)) joined.set(name, before + (name === 'cookie' ? '; ' : ', ') + value);
  }
  // Unlike an assignment it makes `__proto__` a header like any other.
  return Object.fromEntries(joined);
}

const onlyOnce: ReadonlySet<string> = new Set(
  ['authorization', 'from', 'host', 'max-forwards', 'origin', 'proxy-authorization', 'referer'].concat(
    'user-agent',
    'content-type',
  ),
);
