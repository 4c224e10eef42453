import { z } from 'zod';
import { hostProblem, normalOrigin, originProblem, rangeProblem } from './addresses.ts';
import { bytes, checkedText, distinct, filePath, MIB, milliseconds, oneOf, port, whole } from './scalars.ts';

/** What a listener can bind to. */
export const host = checkedText('an IP address or host name', hostProblem);

const origin = checkedText('an origin, scheme://host[:port]', originProblem).overwrite(normalOrigin);
const addressRange = checkedText('an IP address or CIDR range', rangeProblem);

const tlsFiles = z.strictObject({
  cert: filePath.meta({ description: 'Certificate chain in PEM, the server’s own first (file).' }),
  key: filePath.meta({ description: 'Its private key in PEM (file).' }),
});

const compressors = [
  'off',
  'shared',
  'dedicated-4KB',
  'dedicated-8KB',
  'dedicated-16KB',
  'dedicated-32KB',
  'dedicated-64KB',
  'dedicated-128KB',
  'dedicated-256KB',
] as const;

export const listenSchema = z.strictObject({
  host: host.default('0.0.0.0').meta({ description: 'Address that clients connect to.' }),
  port: port
    .default(8080)
    .meta({ description: 'Port that clients connect to; 0 takes any free one, the log tells which.' }),
  tls: tlsFiles.nullable().default(null).meta({ description: 'Certificate for wss://; null serves ws://.' }),
  maxConnections: whole(1, 10_000_000)
    .default(16_000)
    .meta({ description: 'Clients at the same time; the next one gets 503.' }),
  maxConnectionsPerIp: whole(0, 10_000_000).default(0).meta({
    description:
      'Clients at the same time from one address (IPv6: one /64); the next one gets 429; 0 = no cap.',
  }),
  handshakeTimeoutMs: milliseconds(100, 60_000)
    .default(5_000)
    .meta({ description: 'Milliseconds an upgrade may wait for an upstream before it is refused.' }),
  maxMessageBytes: bytes(1, 256 * MIB)
    .default(MIB)
    .meta({ description: 'Largest message of a client, in bytes; a larger one closes with 1009.' }),
  maxBackpressureBytes: bytes(1_024)
    .default(MIB)
    .meta({ description: 'Bytes that may wait for a slow client before it is closed with 1013.' }),
  allowedOrigins: distinct(origin, 1_000).default([]).meta({
    description: 'Exact origins that browsers may connect from, others get 403; empty = every origin.',
  }),
  trustedProxies: distinct(addressRange, 1_000)
    .default(['127.0.0.1/32'])
    .meta({ description: 'Proxies whose X-Forwarded-For is believed, as addresses or CIDR ranges.' }),
  permessageDeflate: oneOf(compressors).default('off').meta({
    description: 'RFC 7692 compression for clients without a codec: one compressor for all, or one for each.',
  }),
});
