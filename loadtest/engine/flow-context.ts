import type { Connection } from './connection.ts';
import type { Crowd } from './crowd.ts';
import type { Gate } from './gate.ts';
import type { Generator, MessageMaker } from './message-maker.ts';
import type { ArtilleryEvents, Telemetry } from './telemetry.ts';
import type { EngineSettings } from './verbs.ts';

/** One of artillery's virtual users: a client. */
export interface VirtualUser {
  /** Counted from 0 in each worker. */
  readonly number: number;
  /** artillery's: variables and the like. */
  readonly context: Record<string, unknown>;
  connection: Connection | undefined;
}

/** One step of a scenario; rejects when the client cannot go on. */
export type Step = (user: VirtualUser) => Promise<void>;

/** What artillery hands to its engines. */
export interface ArtilleryHelpers {
  /** Fills in `{{ variables }}`. */
  readonly template: (value: unknown, context: Record<string, unknown>) => unknown;
}

/** What all clients of a worker share. */
export interface FlowContext {
  readonly target: string;
  readonly settings: EngineSettings;
  readonly telemetry: Telemetry;
  readonly artillery: ArtilleryEvents;
  readonly helpers: ArtilleryHelpers;
  /** The functions of the scenario's `config.processor`. */
  readonly processor: Readonly<Record<string, unknown>>;
  /** What clients do together. */
  readonly crowd: Crowd;
  readonly maker: MessageMaker;
  readonly generatorFor: (isBinary: boolean) => Promise<Generator> | undefined;
  readonly gateTo: (url: string) => Gate;
}

/** The connection of a client; throws where the flow has opened none. */
export function connectionOf(user: VirtualUser): Connection {
  if (user.connection === undefined) throw new Error('the flow connects only later');
  return user.connection;
}
