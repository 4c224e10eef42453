import type { z } from 'zod';
import type { codecSchema } from './codec-schema.ts';
import type { poolSchema } from './pool-schema.ts';

/** Defaults for one purpose: below the file, the environment and the flags. */
export interface Profile {
  readonly description: string;
  /** Goes to every pool of the file, or to `main` when it has none. */
  readonly pool: z.input<typeof poolSchema>;
  readonly codec?: z.input<typeof codecSchema>;
}

export const profileNames = [
  'throughput',
  'availability',
  'latency',
  'bandwidth',
  'balanced',
  'cpu',
] as const;
export type ProfileName = (typeof profileNames)[number];

export const profiles: Readonly<Record<ProfileName, Profile>> = {
  throughput: {
    description: 'Most messages per second: cheap balancing, connections added early.',
    pool: {
      balance: 'random',
      minConnections: 10,
      maxConnections: 1_000,
      scaleUpThreshold: 0.7,
      scaleDownThreshold: 0.3,
      healthCheckIntervalMs: 10_000,
    },
  },
  availability: {
    description: 'Many warm connections, fair balancing, frequent health checks.',
    pool: {
      balance: 'least-connections',
      minConnections: 20,
      maxConnections: 500,
      scaleUpThreshold: 0.8,
      scaleDownThreshold: 0.2,
      healthCheckIntervalMs: 5_000,
    },
  },
  latency: {
    description: 'Fast compression of large messages only, warm connections.',
    pool: { balance: 'least-connections', minConnections: 10 },
    codec: { offer: ['zstd', 'gzip', 'brotli'], minBytes: 2_048, zstd: { level: 1 } },
  },
  bandwidth: {
    description: 'Strong compression, of small messages too.',
    pool: {},
    codec: { offer: ['brotli', 'zstd', 'gzip'], minBytes: 512, brotli: { quality: 4 } },
  },
  balanced: {
    description: 'The codec that every platform has, for messages that are worth it.',
    pool: {},
    codec: { offer: ['gzip', 'zstd', 'brotli'], minBytes: 1_024, gzip: { level: 6 } },
  },
  cpu: {
    description: 'Least work: the cheapest compression, of large messages only.',
    pool: {},
    codec: { offer: ['zstd', 'gzip', 'brotli'], minBytes: 5_120, zstd: { level: 1 } },
  },
};
