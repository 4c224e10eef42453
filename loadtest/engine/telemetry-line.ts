/** What one artillery worker has seen, a line of JSON a second; counts grow from line to line, histograms are of that second only. */
export interface TelemetryLine {
  readonly type: 'second';
  /** The thread that says it, unique among those of a run. */
  readonly worker: string;
  /** The second since the epoch at whose end it was taken. */
  readonly second: number;
  readonly counts: TelemetryCounts;
  readonly errors: Readonly<Record<string, number>>;
  /** What the scenario says is no failure, by kind. */
  readonly expected: Readonly<Record<string, number>>;
  /** The first of each kind of failure, in full. */
  readonly examples: Readonly<Record<string, string>>;
  /** HdrHistogram V2 in base64, in microseconds; absent where nothing happened. */
  readonly handshake?: string;
  readonly latency?: string;
  /** Milliseconds since the epoch; absent until it happened. */
  readonly firstAtMs?: number;
  readonly lastOpenAtMs?: number;
  readonly lastAtMs?: number;
}

/** The scenario makes no sense, or can go on no more. */
export interface FaultLine {
  readonly type: 'fault';
  readonly message: string;
}

export interface TelemetryCounts {
  /** Connections begun, and those that are over, however they ended. */
  begun: number;
  over: number;
  connected: number;
  disconnected: number;
  sent: number;
  received: number;
  /** Of the sockets, HTTP and framing and all; of TLS, what is inside. */
  bytesSent: number;
  bytesReceived: number;
  /** Now. */
  open: number;
}

export function zeroCounts(): TelemetryCounts {
  return {
    ...{ begun: 0, over: 0, connected: 0, disconnected: 0, sent: 0, received: 0 },
    ...{ bytesSent: 0, bytesReceived: 0, open: 0 },
  };
}

/** The environment variable that says which open file telemetry is written to. */
export const telemetryFdVariable = 'WSLUICE_TELEMETRY_FD';
