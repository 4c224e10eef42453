import { kinds, statusIn } from '../result/failure-kinds.ts';

const byKind: Readonly<Record<string, string>> = {
  [kinds.refused]: 'nothing listens there: is the server running, and is it that port?',
  [kinds.reset]: 'the server, or something before it, cut the connection: its log may say why',
  [kinds.cutOff]: 'the server ended or dropped the connection: its log may say why',
  [kinds.timedOut]: 'what is sent there is lost: check the address, and what is before it',
  [kinds.unreachable]: 'there is no way to that address from here',
  [kinds.unknownHost]: 'check the name in the address',
  [kinds.handshakeTimeout]:
    'something accepts connections there and does not answer: is it a WebSocket server? --timeout waits longer',
  [kinds.handshakeGarbage]:
    'what answers there does not speak WebSocket; for TLS the address begins with wss://',
  [kinds.noCodec]: 'the server does not speak it: leave out --codec, or ask for one it has',
  [kinds.certificate]: '--insecure takes any certificate',
  [kinds.noTls]: 'wss:// needs a server that speaks TLS; without it the address begins with ws://',
  [kinds.noFiles]: 'raise the limit (ulimit -n), or take more --workers or fewer connections at once',
  [kinds.noPorts]: 'an address has 28,000 ports for one client: take fewer connections at once',
  [kinds.garbage]: 'it broke the WebSocket protocol',
  [kinds.replyTimeout]: 'the server took the message and did not answer; --timeout waits longer',
  [kinds.wrongReply]:
    'a server that only echoes is asked without --json-rpc, one that speaks JSON-RPC with it; --reply any takes whatever comes',
  [kinds.undecodable]: 'it does not keep to the wire format of the codec',
  [kinds.unasked]: 'the server sends more than replies',
  [kinds.errorReply(-32601)]: '--json-rpc <method> calls another method',
  [kinds.errorReply(-32700)]: 'it expects JSON-RPC: use --json-rpc',
  [kinds.errorReply(-32029)]: 'a rate limit of the gateway',
  [kinds.status(400)]: 'it does not accept this handshake: --protocol and --codec are part of it',
  [kinds.status(401)]: 'it wants credentials, which may stand in the address',
  [kinds.status(404)]: 'there is no WebSocket at that path: the path is part of the address',
  [kinds.status(426)]: 'it speaks another version of the protocol: --protocol 13',
  [kinds.status(429)]: 'it has a limit for one client or address',
  [kinds.status(503)]: 'it is full, or has no upstream to offer',
  [kinds.closed(1008)]: 'a limit or a rule of the server',
  [kinds.closed(1009)]: 'the message is too big for it: --buffer makes it smaller',
  [kinds.closed(1013)]: 'it is too busy, or its upstream is gone',
};

/** Returns what may be done about a kind of failure; undefined where nobody knows. */
export function adviceFor(kind: string): string | undefined {
  if (byKind[kind] !== undefined) return byKind[kind];
  const status = statusIn(kind);
  if (status !== undefined && status >= 200 && status < 400)
    return 'a web server answers there, and no WebSocket: the path is part of the address';
  return undefined;
}
