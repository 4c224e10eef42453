import { zeroCounts, type TelemetryCounts, type TelemetryLine } from '../engine/telemetry-line.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { total } from '../result/total.ts';
import type { RunResult, SecondOfRun } from '../result/run-result.ts';

const msPerSecond = 1_000;

interface SecondOfBook {
  sent: number;
  received: number;
  errors: number;
  readonly openByWorker: Map<string, number>;
  readonly latency: string[];
}

/** What a result gets from the telemetry of its load. */
export type Measured = Pick<
  RunResult,
  'startedAt' | 'seconds' | 'totals' | 'handshake' | 'latency' | 'timeline' | 'errors'
>;

/** All telemetry of a run, whatever number of artillery processes and threads it comes from. */
export class TelemetryBook {
  readonly #last = new Map<string, TelemetryLine>();
  readonly #seconds = new Map<number, SecondOfBook>();
  readonly #handshake = new LatencyHistogram();
  readonly #latency = new LatencyHistogram();

  take(line: TelemetryLine): void {
    const before = this.#last.get(line.worker);
    this.#last.set(line.worker, line);
    if (line.handshake !== undefined) this.#handshake.add(LatencyHistogram.decode(line.handshake));
    if (line.latency !== undefined) this.#latency.add(LatencyHistogram.decode(line.latency));
    const second = this.#secondOf(line.second);
    second.sent += line.counts.sent - (before?.counts.sent ?? 0);
    second.received += line.counts.received - (before?.counts.received ?? 0);
    second.errors += total(line.errors) - total(before?.errors ?? {});
    second.openByWorker.set(line.worker, line.counts.open);
    if (line.latency !== undefined) second.latency.push(line.latency);
  }

  /** Everything counted so far. */
  get counts(): TelemetryCounts {
    const all = zeroCounts();
    for (const { counts } of this.#last.values())
      for (const name of Object.keys(all) as (keyof TelemetryCounts)[]) all[name] += counts[name];
    return all;
  }

  get errors(): Record<string, number> {
    return this.#added(({ errors }) => errors);
  }

  /** What the scenario says is no failure, by kind. */
  get expected(): Record<string, number> {
    return this.#added(({ expected }) => expected);
  }

  /** The first of each kind of failure, in full. */
  get examples(): Record<string, string> {
    return Object.assign({}, ...[...this.#last.values()].map(({ examples }) => examples)) as Record<
      string,
      string
    >;
  }

  /** Replies by how long they took. */
  get latency(): LatencyHistogram {
    return this.#latency;
  }

  /** All of it, for a result; nothing was measured where no connection was begun. */
  measured(): Measured {
    const firstAtMs = this.#earliest(({ firstAtMs: at }) => at);
    const lastAtMs = this.#latest(({ lastAtMs: at }) => at) ?? firstAtMs;
    const lastOpenAtMs = this.#latest(({ lastOpenAtMs: at }) => at);
    const { errors } = this;
    if (firstAtMs === undefined || lastAtMs === undefined)
      return {
        startedAt: new Date().toISOString(),
        ...{ seconds: 0, totals: null, handshake: null, latency: null, timeline: [], errors },
      };
    const { connected, disconnected, sent, received, bytesSent, bytesReceived } = this.counts;
    return {
      startedAt: new Date(firstAtMs).toISOString(),
      seconds: (lastAtMs - firstAtMs) / msPerSecond,
      totals: {
        ...{ connected, disconnected, failed: total(errors), sent, received, bytesSent, bytesReceived },
        onlineMs: (lastOpenAtMs ?? firstAtMs) - firstAtMs,
      },
      handshake: this.#handshake.figures() ?? null,
      latency: this.#latency.figures() ?? null,
      timeline: this.timeline(),
      errors,
    };
  }

  /** Second by second, from the first connection to the last event. */
  timeline(): SecondOfRun[] {
    const firstAtMs = this.#earliest(({ firstAtMs: at }) => at);
    const lastAtMs = this.#latest(({ lastAtMs: at }) => at);
    if (firstAtMs === undefined || lastAtMs === undefined) return [];
    const start = Math.floor(firstAtMs / msPerSecond);
    const end = Math.ceil(lastAtMs / msPerSecond);
    const open = new Map<string, number>();
    const seconds: SecondOfRun[] = [];
    for (let at = start + 1; at <= end; at++) {
      const { sent, received, errors, openByWorker, latency } = this.#seconds.get(at) ?? emptySecond();
      for (const [worker, count] of openByWorker) open.set(worker, count);
      const openNow = [...open.values()].reduce((total, count) => total + count, 0);
      const latencyMs = quantiles(latency);
      seconds.push({ at: at - start, sent, received, errors, open: openNow, latencyMs, processes: {} });
    }
    return seconds;
  }

  #secondOf(at: number): SecondOfBook {
    const second = this.#seconds.get(at) ?? emptySecond();
    this.#seconds.set(at, second);
    return second;
  }

  #added(of: (line: TelemetryLine) => Readonly<Record<string, number>>): Record<string, number> {
    const total: Record<string, number> = {};
    for (const line of this.#last.values())
      for (const [kind, count] of Object.entries(of(line))) total[kind] = (total[kind] ?? 0) + count;
    return total;
  }

  #earliest(of: (line: TelemetryLine) => number | undefined): number | undefined {
    const known = [...this.#last.values()].map(of).filter((at) => at !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  #latest(of: (line: TelemetryLine) => number | undefined): number | undefined {
    const known = [...this.#last.values()].map(of).filter((at) => at !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  }
}

function emptySecond(): SecondOfBook {
  return { sent: 0, received: 0, errors: 0, openByWorker: new Map(), latency: [] };
}

function quantiles(encoded: readonly string[]): SecondOfRun['latencyMs'] {
  const [first, ...others] = encoded;
  if (first === undefined) return null;
  const merged = LatencyHistogram.decode(first);
  for (const other of others) merged.add(LatencyHistogram.decode(other));
  return merged.shownMs();
}
