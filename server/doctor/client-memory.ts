import type { Config, PoolConfig } from '../config/schema.ts';

/**
 * What connections take, in bytes. Measured with 1,000 to 8,000 idle clients for each way to connect, Node 22.23, Linux 6.18, as the growth of
 * the process (RSS) and of the kernel's slabs, and rounded up; sysctl/README.md has the figures. Messages that wait come on top.
 */
const KIB = 1_024;
/** A client and what the gateway knows of it. */
const clientBytes = 3 * KIB;
/** An upstream connection. */
const upstreamBytes = 4 * KIB;
/** What TLS adds to a client, and to an upstream connection, which is Node's. */
const clientTlsBytes = 6 * KIB;
const upstreamTlsBytes = 48 * KIB;
const sharedCompressorBytes = 1 * KIB;
const dedicatedCompressorBytes = 80 * KIB;
/** A TCP socket in the kernel, with its file and its place in epoll, while nothing waits in it. */
export const socketBytes = 5 * KIB;

/** The part of it that is in the heap of JavaScript. */
export const clientHeapBytes = 2 * KIB;
export const upstreamHeapBytes = 3 * KIB;

/** A gateway without clients. */
export const idleGatewayBytes = 160 * KIB * KIB;
export const idleHeapBytes = 40 * KIB * KIB;

/** Memory of one client beside that of its upstream connection, kernel included. */
export function bytesOfClient({ tls, permessageDeflate }: Config['listen']): number {
  const deflateBytes =
    permessageDeflate === 'off'
      ? 0
      : permessageDeflate === 'shared'
        ? sharedCompressorBytes
        : dedicatedCompressorBytes;
  return clientBytes + socketBytes + deflateBytes + (tls === null ? 0 : clientTlsBytes);
}

/** Memory of one upstream connection of a pool, kernel included. */
export function bytesOfUpstream({ upstreams }: PoolConfig): number {
  const secure = upstreams.some((url) => url.startsWith('wss:'));
  return upstreamBytes + socketBytes + (secure ? upstreamTlsBytes : 0);
}
