/** What the engine tells of stages (messages sent under one name, at one rate), of waves (connections opened under one name), and of lost clients. */
export type StageMessage = StageBegan | StageSecond | StageEnded | WaveMessage | DroppedMessage;

export interface StageBegan {
  readonly type: 'stage-began';
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  /** Messages per second of all its connections together. */
  readonly rate: number;
  readonly seconds: number;
  readonly connections: number;
}

/** One second of a stage: messages count in the second in which they were sent, replies in that in which they came. */
export interface StageSecond {
  readonly type: 'stage-second';
  readonly name: string;
  /** From 0, since the stage began. */
  readonly second: number;
  readonly sent: number;
  readonly replied: number;
  readonly errors: Readonly<Record<string, number>>;
  /** Latencies of the replies, encoded; null when there were none. */
  readonly latency: string | null;
}

export interface StageEnded {
  readonly type: 'stage-ended';
  readonly name: string;
  /** When its last message was settled. */
  readonly atMs: number;
  /** Some may have come a moment after it began. */
  readonly connections: number;
}

/** One connection of a wave is open, or was refused. */
export interface WaveMessage {
  readonly type: 'wave';
  readonly name: string;
  /** Null when it is open. */
  readonly failure: string | null;
}

/** An open connection ended unasked. */
export interface DroppedMessage {
  readonly type: 'dropped';
  readonly kind: string;
  /** It had stopped reading before. */
  readonly stalled: boolean;
}
