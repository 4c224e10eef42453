import { grouped } from '../result/grouped.ts';
import type { LatencyHistogram } from '../result/latency-histogram.ts';
import type { MetricsView } from './metrics-view.ts';

/** What happened in one second of a stage, counted from its beginning. */
export interface StageSecond {
  readonly sent: number;
  readonly replied: number;
  readonly errors: number;
}

/** Messages that were sent under one name, at one rate, by all connections that took part. */
export interface StageFigures {
  readonly name: string;
  readonly connections: number;
  /** Of all its connections together. */
  readonly wantedPerSecond: number;
  /** How long they were to be sent. */
  readonly wantedSeconds: number;
  /** Milliseconds since the epoch. */
  readonly beganAtMs: number;
  /** When its last message was settled; 0 while some are not. */
  readonly endedAtMs: number;
  readonly sent: number;
  /** Right replies; what else came of messages is in `errors`. */
  readonly replied: number;
  /** By kind: "error reply -32001", wrong replies, none in time, connections that broke. */
  readonly errors: Readonly<Record<string, number>>;
  /** Of right replies, from when their messages were due. */
  readonly latency: LatencyHistogram;
  readonly seconds: readonly StageSecond[];
}

/** Connections that were opened under one name. */
export interface WaveFigures {
  readonly name: string;
  readonly tried: number;
  readonly opened: number;
  /** Why others were not, by kind. */
  readonly errors: Readonly<Record<string, number>>;
}

/** What could be seen of a gateway that was started for the run. */
export interface GatewayEvidence {
  /** Its memory, once a second; milliseconds since the epoch. */
  readonly memory: readonly { readonly atMs: number; readonly residentBytes: number }[];
  /** Before the first client, and when the last had been gone for a moment. */
  readonly before: MetricsView;
  readonly after: MetricsView;
  /** Faults that were played. */
  readonly faults: readonly {
    readonly atMs: number;
    readonly kind: 'kill' | 'start';
    readonly backend: number;
  }[];
}

/** All that the expectations of a scenario are judged by. */
export interface Evidence {
  readonly stages: readonly StageFigures[];
  readonly waves: readonly WaveFigures[];
  /** Open connections that ended unasked, by how; those that had stopped reading count apart. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly stalledDropped: Readonly<Record<string, number>>;
  /** Undefined where the server is not one of ours. */
  readonly gateway: GatewayEvidence | undefined;
}

/** Returns the stage of that name; throws when it was never begun. */
export function stageOf(evidence: Evidence, name: string): StageFigures {
  const stage = evidence.stages.find((one) => one.name === name);
  if (stage === undefined) throw new Error(`no message was sent as ${name}`);
  return stage;
}

/** Returns counts as text, most frequent first: "3 × reply timed out, 1 × error reply -32001". */
export function listed(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  const sorted = entries.sort(([, a], [, b]) => b - a);
  return sorted.map(([kind, count]) => `${grouped(count)} × ${kind}`).join(', ');
}
