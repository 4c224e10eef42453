import { LatencyHistogram } from '../result/latency-histogram.ts';
import type { Failure } from './failure.ts';
import { zeroCounts, type TelemetryLine } from './telemetry-line.ts';

/** The part of a socket that says what went over the wire. */
export interface WireCounter {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** What goes to artillery's own report. */
export interface ArtilleryEvents {
  emit(event: 'counter' | 'histogram', name: string, value: number): unknown;
  emit(event: 'error', name: string): unknown;
  emit(event: 'started'): unknown;
}

export interface TelemetryOptions {
  readonly worker: string;
  readonly artillery: ArtilleryEvents;
  /** Kinds of failures that are none. */
  readonly expected: ReadonlySet<string>;
}

const usPerMs = 1_000;

/** Everything that one worker measures, exactly. */
export class Telemetry {
  readonly #options: TelemetryOptions;
  readonly #counts = zeroCounts();
  readonly #reported = zeroCounts();
  readonly #errors: Record<string, number> = {};
  readonly #expected: Record<string, number> = {};
  readonly #examples: Record<string, string> = {};
  readonly #handshake = new LatencyHistogram();
  readonly #latency = new LatencyHistogram();
  readonly #open = new Set<WireCounter>();
  #firstAtMs: number | undefined;
  #lastOpenAtMs: number | undefined;
  #lastAtMs: number | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  begun(): void {
    this.#counts.begun++;
    this.#firstAtMs ??= epochMs();
  }

  opened(socket: WireCounter, handshakeMs: number): void {
    this.#counts.connected++;
    this.#counts.open++;
    this.#open.add(socket);
    this.#handshake.record(handshakeMs * usPerMs);
    this.#options.artillery.emit('histogram', 'wsluice.handshake_ms', handshakeMs);
    this.#lastOpenAtMs = epochMs();
  }

  sent(): void {
    this.#counts.sent++;
  }

  received(latencyMs: number): void {
    this.#counts.received++;
    this.#latency.record(latencyMs * usPerMs);
    this.#options.artillery.emit('histogram', 'wsluice.latency_ms', latencyMs);
    this.#lastAtMs = epochMs();
  }

  /** Counts a failure that `times` messages or connections have in common. */
  failed(failure: Failure, times = 1): void {
    const { kind } = failure;
    const counts = this.#options.expected.has(kind) ? this.#expected : this.#errors;
    counts[kind] = (counts[kind] ?? 0) + times;
    this.#examples[kind] ??= failure.message;
    this.#lastAtMs = epochMs();
    if (counts === this.#errors) for (let i = 0; i < times; i++) this.#options.artillery.emit('error', kind);
    else this.#options.artillery.emit('counter', `wsluice.expected.${kind}`, times);
  }

  /** An open connection is gone. */
  closed(socket: WireCounter): void {
    this.#counts.disconnected++;
    this.#counts.open--;
    this.#open.delete(socket);
    this.over(socket);
  }

  /** A connection that was begun needs nothing any more. */
  over(socket: WireCounter | undefined): void {
    this.#counts.over++;
    this.#counts.bytesReceived += socket?.bytesRead ?? 0;
    this.#counts.bytesSent += socket?.bytesWritten ?? 0;
    this.#lastAtMs = epochMs();
  }

  /** Tells artillery what was counted since the last time, and returns the line that says it all; histograms begin anew. */
  take(second: number): TelemetryLine {
    this.#tellArtillery();
    const line: TelemetryLine = {
      type: 'second',
      worker: this.#options.worker,
      second,
      counts: this.#countsWithOpenSockets(),
      errors: this.#errors,
      expected: this.#expected,
      examples: this.#examples,
      ...(this.#handshake.count > 0 ? { handshake: this.#handshake.encoded } : {}),
      ...(this.#latency.count > 0 ? { latency: this.#latency.encoded } : {}),
      ...(this.#firstAtMs === undefined ? {} : { firstAtMs: this.#firstAtMs }),
      ...(this.#lastOpenAtMs === undefined ? {} : { lastOpenAtMs: this.#lastOpenAtMs }),
      ...(this.#lastAtMs === undefined ? {} : { lastAtMs: this.#lastAtMs }),
    };
    this.#handshake.reset();
    this.#latency.reset();
    return line;
  }

  #countsWithOpenSockets(): TelemetryLine['counts'] {
    const counts = { ...this.#counts };
    for (const { bytesRead, bytesWritten } of this.#open) {
      counts.bytesReceived += bytesRead;
      counts.bytesSent += bytesWritten;
    }
    return counts;
  }

  #tellArtillery(): void {
    for (const name of ['connected', 'disconnected', 'sent', 'received'] as const) {
      const news = this.#counts[name] - this.#reported[name];
      if (news > 0) this.#options.artillery.emit('counter', `wsluice.${name}`, news);
      this.#reported[name] = this.#counts[name];
    }
  }
}

function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
