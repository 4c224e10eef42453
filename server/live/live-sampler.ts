import type { CodecTotals } from '../../metrics/codec-families.ts';
import type { GatewayMetrics, LabelledCount } from '../../metrics/gateway-metrics.ts';
import { HistogramWindow } from '../../metrics/histogram-window.ts';
import type { RateLimitFigures } from '../../metrics/ratelimit-families.ts';
import type { PoolReport } from '../admin/pools-control.ts';
import type { LatencyMs, LiveHistorySample, LiveSample, ProcessSample } from './live-sample.ts';
import { Rates } from './rates.ts';
import { Ring } from './ring.ts';

export interface LiveSamplerOptions {
  readonly metrics: GatewayMetrics;
  readonly maxConnections: number;
  readonly codecs: () => Iterable<readonly [name: string, totals: CodecTotals]>;
  readonly limits: () => Pick<RateLimitFigures, 'decisions'>;
  /** Asked only while somebody watches: it goes through all clients. */
  readonly pools: () => readonly PoolReport[];
  /** What the process uses, since the last call. */
  readonly process: (spanMs: number) => ProcessSample;
  readonly draining: () => boolean;
  readonly now: () => number;
  readonly wallClockMs: () => number;
  /** Gets every sample, whether somebody watches or not. */
  readonly onSample?: (sample: LiveHistorySample) => void;
  readonly onError: (error: unknown) => void;
}

/** Hears of every sample, as it is taken. */
export type LiveWatcher = (sample: LiveSample) => void;

const intervalMs = 1_000;
/** Five minutes. */
const keptSamples = 300;
/** What a limit decided that kept a message or a client out; those delayed go later, and a trial keeps nobody out. */
const refusals: ReadonlySet<string> = new Set(['rejected', 'dropped', 'closed']);

/** Looks at a gateway once a second, for all who watch; remembers the last five minutes. */
export class LiveSampler {
  readonly #options: LiveSamplerOptions;
  readonly #rates = new Rates();
  readonly #latency: HistogramWindow;
  readonly #history = new Ring<LiveHistorySample>(keptSamples);
  readonly #watchers = new Set<LiveWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #sampledAtMs: number;

  constructor(options: LiveSamplerOptions) {
    this.#options = options;
    this.#latency = new HistogramWindow(options.metrics.latency);
    this.#sampledAtMs = options.now();
    this.#look(0);
  }

  start(): void {
    this.#timer = setInterval(() => {
      try {
        this.sample();
      } catch (error) {
        this.#options.onError(error);
      }
    }, intervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#watchers.clear();
  }

  /** The last five minutes, the oldest second first. */
  get history(): readonly LiveHistorySample[] {
    return this.#history.toArray();
  }

  /** The second that ended last; undefined until one has. */
  get latest(): LiveHistorySample | undefined {
    return this.#history.latest;
  }

  /** Returns how to stop that. */
  watch(watcher: LiveWatcher): () => void {
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  /** Ends a second; to be called by the timer, and by tests. */
  sample(): void {
    const nowMs = this.#options.now();
    const spanMs = nowMs - this.#sampledAtMs;
    if (spanMs <= 0) return;
    this.#sampledAtMs = nowMs;
    const second = this.#look(spanMs);
    this.#history.add(second);
    this.#options.onSample?.(second);
    if (this.#watchers.size === 0) return;
    const sample = { ...second, pools: this.#options.pools() };
    for (const watcher of this.#watchers) watcher(sample);
  }

  #look(spanMs: number): LiveHistorySample {
    const { metrics, maxConnections, process, draining, wallClockMs } = this.#options;
    const rate = (name: string, total: number): number => this.#rates.of(name, total, spanMs);
    this.#latency.advance();
    return {
      at: wallClockMs(),
      spanMs,
      draining: draining(),
      connections: { open: metrics.connectionsOpen, max: maxConnections },
      perSecond: {
        received: rate('received', metrics.messagesReceived),
        sent: rate('sent', metrics.messagesSent),
        bytesReceived: rate('bytesReceived', metrics.bytesReceived),
        bytesSent: rate('bytesSent', metrics.bytesSent),
        replies: spanMs > 0 ? (this.#latency.view.count * 1_000) / spanMs : 0,
        errors: rate('errors', sum(metrics.errorCounts())),
        rejected: rate('rejected', sum(metrics.rejectCounts())),
      },
      latencyMs: this.#latencyMs(),
      refusedPerSecond: this.#refusals(rate),
      codecs: this.#codecs(rate),
      process: process(spanMs),
    };
  }

  #latencyMs(): LatencyMs | null {
    const { view } = this.#latency;
    if (view.count === 0) return null;
    const ms = (q: number): number => view.quantile(q) * 1_000;
    return { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99) };
  }

  #refusals(rate: (name: string, total: number) => number): Record<string, number> {
    const totals: Record<string, number> = {};
    for (const [scope, decision, count] of this.#options.limits().decisions) {
      totals[scope] = (totals[scope] ?? 0) + (refusals.has(decision) ? count : 0);
    }
    return mapValues(totals, (total, scope) => rate(`refused ${scope}`, total));
  }

  #codecs(rate: (name: string, total: number) => number): LiveHistorySample['codecs'] {
    return Object.fromEntries(
      Array.from(this.#options.codecs(), ([name, totals]) => [
        name,
        {
          plainBytes: rate(`plain ${name}`, totals.encodedPlain + totals.decodedPlain),
          packedBytes: rate(`packed ${name}`, totals.encodedPacked + totals.decodedPacked),
        },
      ]),
    );
  }
}

function sum(counts: readonly LabelledCount[]): number {
  return counts.reduce((total, { count }) => total + count, 0);
}

function mapValues(
  record: Readonly<Record<string, number>>,
  change: (value: number, key: string) => number,
): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}
