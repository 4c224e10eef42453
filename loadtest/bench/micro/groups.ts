/** What is wanted, and known, of the benches whose title matches. */
export interface Expected {
  readonly title: RegExp;
  /** The most nanoseconds wanted. */
  readonly goalNs?: number;
  /** What the guide says that it takes: the seed's figure. */
  readonly seedNs?: number;
  readonly seedMBs?: number;
  /** How many times smaller the guide says messages get. */
  readonly seedSmaller?: number;
}

/** Benches of one kind, which lie beside the source. */
export interface MicroGroup {
  /** As `npm run bench -- <name>` knows it. */
  readonly name: string;
  readonly what: string;
  /** Files, from the repository's root. */
  readonly files: string;
  readonly expected: readonly Expected[];
}

/**
 * All groups. The seed's figures are those of a guide to a WebSocket server of the same kind, in Rust 1.75, measured with Criterion on a Ryzen 9
 * 5950X: another machine and another language, and what each of them does there is known by its name only.
 */
export const microGroups: readonly MicroGroup[] = [
  {
    ...{ name: 'metrics', what: 'a count, an observation', files: 'metrics/*.bench.ts' },
    expected: [
      { title: /^Counters\.add$/, goalNs: 3 },
      { title: /^GatewayMetrics\.connectionOpened$/, seedNs: 108 },
      { title: /^GatewayMetrics\.received$/, seedNs: 115 },
      { title: /^Histogram\.observe$/, goalNs: 8, seedNs: 164 },
    ],
  },
  {
    ...{ name: 'ratelimit', what: 'a check of one of 10,000 keys', files: 'ratelimit/*.bench.ts' },
    expected: [
      { title: /^token-bucket, allowed$/, goalNs: 15, seedNs: 476 },
      { title: /^leaky-bucket, allowed$/, goalNs: 15, seedNs: 526 },
      { title: /^sliding-window, allowed$/, goalNs: 15, seedNs: 588 },
      { title: /refused$/, goalNs: 15 },
    ],
  },
  {
    ...{ name: 'codec', what: 'messages of 10 KB, packed and unpacked', files: 'codec/*.bench.ts' },
    expected: [
      { title: /^gzip 1, pack$/, seedMBs: 89, seedSmaller: 2.1 },
      { title: /^gzip 6, pack$/, seedMBs: 42, seedSmaller: 2.8 },
      { title: /^gzip 9, pack$/, seedMBs: 18, seedSmaller: 2.9 },
      { title: /^brotli 4, pack$/, seedMBs: 28, seedSmaller: 3.2 },
      { title: /^zstd 3, pack$/, seedMBs: 156, seedSmaller: 2.9 },
      { title: /^gzip \d, unpack$/, seedMBs: 312 },
      { title: /^brotli 4, unpack$/, seedMBs: 198 },
      { title: /^zstd 3, unpack$/, seedMBs: 421 },
    ],
  },
  {
    ...{ name: 'balancers', what: 'a pick', files: 'pool/balancers/*.bench.ts' },
    expected: [
      { title: /^round-robin, \d+ members$/, goalNs: 20, seedNs: 112 },
      { title: /^least-connections, \d+ members$/, goalNs: 20, seedNs: 161 },
      { title: /^random, \d+ members$/, goalNs: 20, seedNs: 81 },
      { title: /^peak-ewma, \d+ members$/, goalNs: 20 },
    ],
  },
  {
    ...{ name: 'jsonrpc', what: 'id and method of a message found', files: 'pool/jsonrpc/*.bench.ts' },
    expected: [],
  },
  {
    ...{ name: 'framing', what: 'a frame written or read', files: 'pool/wire/*.bench.ts' },
    expected: [],
  },
  {
    ...{ name: 'waiting', what: 'a request that waits is served', files: 'pool/modes/*.bench.ts' },
    expected: [],
  },
];
