import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';

/** Gives a stream what servers ask of a client's TCP socket: who it is, and options that mean nothing here. */
export function asTcpSocket(stream: Duplex, remoteAddress: string, isSecure: boolean): void {
  const returnsIt = (): Duplex => stream;
  Object.assign(stream, {
    remoteAddress,
    remoteFamily: isIPv6(remoteAddress) ? 'IPv6' : 'IPv4',
    encrypted: isSecure,
    setTimeout: returnsIt,
    setNoDelay: returnsIt,
    setKeepAlive: returnsIt,
    ref: returnsIt,
    unref: returnsIt,
  });
}
