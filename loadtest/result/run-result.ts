import { z } from 'zod';
import { withoutCredentials } from './without-credentials.ts';

const count = z.number().int().nonnegative();
const figure = z.number().nonnegative();

const latencyFigures = z.strictObject({
  count,
  minMs: figure,
  meanMs: figure,
  stddevMs: figure,
  maxMs: figure,
  /** By percentile: "50" to "100". */
  percentilesMs: z.record(z.string(), figure),
  /** Percentile (0 to 100) and milliseconds, ascending. */
  curve: z.array(z.tuple([figure, figure])),
  /** All of it: HdrHistogram V2, compressed, base64, in microseconds. */
  hdr: z.string(),
});

/** What a process used in one second. */
const processUse = z.strictObject({ cores: figure, residentBytes: figure });

const second = z.strictObject({
  /** Seconds since the load began, at the end of this one. */
  at: figure,
  sent: count,
  received: count,
  /** Messages and connections that went wrong in this second. */
  errors: count,
  /** Connections open at its end. */
  open: count,
  /** Of the replies that came in it; null when none came. */
  latencyMs: z.strictObject({ p50: figure, p95: figure, p99: figure, max: figure }).nullable(),
  /** By the name of the process: "gateway", "gateway 2", "backend", "loader". */
  processes: z.record(z.string(), processUse),
});

const stage = z.strictObject({
  name: z.string(),
  /** Messages per second that were wanted, and that were answered. */
  ratePerSecond: figure.nullable(),
  repliesPerSecond: figure,
  connections: count,
  /** 0 to 1, of all that was sent. */
  errorShare: figure,
  latencyMs: z.strictObject({ p50: figure, p95: figure, p99: figure, max: figure }).nullable(),
  /** Of all gateway processes; null when they cannot be seen. */
  gatewayCores: figure.nullable(),
  gatewayResidentBytes: figure.nullable(),
  passed: z.boolean().nullable(),
});

const verdict = z.strictObject({
  /** What was expected, as a sentence or a condition. */
  expectation: z.string(),
  measured: z.string(),
  passed: z.boolean(),
});

const contestant = z.strictObject({
  name: z.string(),
  /** What its clients say: only those with the same are compared. */
  protocol: z.string().optional(),
  depth: count,
  messagesPerSecond: figure,
  p50Ms: figure,
  p99Ms: figure,
  serverCpuUsPerMessage: figure,
  cores: z.strictObject({ loader: figure, server: figure, backend: figure, others: figure }),
  /** Null for a server that has none behind it. */
  upstreamConnections: count.nullable(),
  saturated: z.string(),
});

const ratio = z.strictObject({
  name: z.string(),
  against: z.string(),
  depth: count,
  /** Round trips per second; null when it would mislead. */
  ratio: figure.nullable(),
  /** Why there is none. */
  refused: z.string().nullable(),
  goal: figure.nullable(),
  /** CPU time per message, the other's ÷ its own; null when other programs were in the way. */
  perCpuSecond: figure.nullable().optional(),
});

const microBench = z.strictObject({
  group: z.string(),
  name: z.string(),
  ns: figure,
  goalNs: figure.nullable(),
  /** What a guide to such servers says that this takes. */
  seedNs: figure.nullable(),
  /** Of packing and unpacking: the bytes of one message, unpacked, so that there are MB/s. */
  bytes: figure.optional(),
  /** How many times smaller they get, and what that guide says of it. */
  smaller: figure.optional(),
  seedSmaller: figure.optional(),
});

const runResult = z.strictObject({
  format: z.literal('wsluice-run-1'),
  kind: z.enum(['thor', 'scenario', 'scale', 'compare', 'bench']),
  title: z.string(),
  /** The command that makes it again. */
  command: z.string(),
  /** ISO 8601. */
  startedAt: z.string(),
  seconds: figure,
  /** False when it was interrupted: all that is here is what was seen until then. */
  complete: z.boolean(),
  environment: z.strictObject({
    cpu: z.string(),
    cores: count,
    memoryBytes: count,
    system: z.string(),
    network: z.string(),
    openFiles: count,
    node: z.string(),
    wsluice: z.string(),
    /** Versions of other programs that took part, by name. */
    others: z.record(z.string(), z.string()),
  }),
  /** What was loaded: an address, or what was started for it. */
  target: z.string(),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  /** Null where nothing was sent to a server. */
  totals: z
    .strictObject({
      connected: count,
      disconnected: count,
      /** Connections and messages that went wrong; `errors` says how. */
      failed: count,
      sent: count,
      received: count,
      bytesSent: count,
      bytesReceived: count,
      /** Milliseconds until all connections were open. */
      onlineMs: figure,
    })
    .nullable(),
  handshake: latencyFigures.nullable(),
  latency: latencyFigures.nullable(),
  /** What each percentile of `latency`, "50" to "100", was to stay below; empty where nothing was said. */
  latencyGoalsMs: z.record(z.string(), figure).default({}),
  timeline: z.array(second),
  /** How often each kind of error was seen. */
  errors: z.record(z.string(), count),
  stages: z.array(stage),
  verdicts: z.array(verdict),
  comparison: z.strictObject({ contestants: z.array(contestant), ratios: z.array(ratio) }).nullable(),
  benches: z.array(microBench),
  /** Figures of a kind of their own, as the subjects of a bench have them. */
  others: z.array(z.unknown()).optional(),
});

/** Everything one run has measured, as its JSON file says it and its report shows it. */
export type RunResult = z.infer<typeof runResult>;
export type LatencyFigures = z.infer<typeof latencyFigures>;
export type SecondOfRun = z.infer<typeof second>;
export type Stage = z.infer<typeof stage>;
export type Comparison = NonNullable<RunResult['comparison']>;
export type MicroBench = RunResult['benches'][number];
export type Verdict = z.infer<typeof verdict>;
export type Environment = RunResult['environment'];

/** Returns the result that the text of a file holds; throws with the reason when it is none. */
export function parseRunResult(text: string): RunResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON (${(error as Error).message})`, { cause: error });
  }
  const parsed = runResult.safeParse(json);
  if (!parsed.success) throw new Error(`it is no result of a run\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Returns a result in which nothing was measured yet, for runs to fill in. */
export function emptyResult(
  about: Pick<RunResult, 'kind' | 'title' | 'command' | 'environment' | 'target' | 'settings'>,
): RunResult {
  return {
    format: 'wsluice-run-1',
    ...about,
    // A report is passed on.
    command: withoutCredentials(about.command),
    target: withoutCredentials(about.target),
    startedAt: new Date().toISOString(),
    seconds: 0,
    complete: false,
    totals: null,
    handshake: null,
    latency: null,
    latencyGoalsMs: {},
    timeline: [],
    errors: {},
    stages: [],
    verdicts: [],
    comparison: null,
    benches: [],
  };
}
