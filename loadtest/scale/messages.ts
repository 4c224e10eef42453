import type { CountedFaults } from './faults.ts';
import type { CountedLatencies } from './latency-counts.ts';
import type { Protocol } from './exchange.ts';

/** What a loader process is told on its command line, as JSON. */
export interface LoaderOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly hostHeader?: string | undefined;
  /** Connected from in turn: the kernel takes long to find a free port where most of an address are taken. None: the system's choice. */
  readonly localAddresses: readonly string[];
  /** Their numbers are unique among all processes. */
  readonly firstClient: number;
  readonly clients: number;
  readonly protocol: Protocol;
  readonly bytes: number;
  /** A server that says nothing to a handshake for this long is given up. */
  readonly handshakeTimeoutMs: number;
}

/** A load, as one loader is told of it. */
export interface LoadOrder {
  readonly type: 'load';
  /** Messages per second of this loader's clients. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Messages in all. */
  readonly total: number;
  /** When it begins, on the clock that all processes share. */
  readonly startEpochMs: number;
  readonly phase: number;
  /** How long replies are waited for at the end. */
  readonly replyTimeoutMs: number;
}

/** `stop` ends a load before its time: nothing more is sent, and replies are waited for that long. */
export type LoaderCommand = LoadOrder | { readonly type: 'stop'; readonly replyTimeoutMs: number };

/** What happened since the last report. */
export interface LoadCounts {
  /** Written to a socket. */
  readonly sent: number;
  /** Answered rightly. */
  readonly received: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Messages that were answered with an error. */
  readonly errors: CountedFaults;
  /** Messages that were due and could not be sent. */
  readonly unsent: CountedFaults;
  /** Of the replies, from when their messages were due. */
  readonly latency: CountedLatencies;
  /** How much later than due messages were sent. */
  readonly lateness: CountedLatencies;
}

/** What a loader reports. */
export type LoaderReport =
  /** How it stands with its clients; a few times a second until all are open or have failed, and then whenever one is lost. */
  | {
      readonly type: 'clients';
      readonly open: number;
      readonly failed: number;
      readonly faults: CountedFaults;
    }
  | { readonly type: 'connected'; readonly handshake: CountedLatencies }
  /** One second of a load, by its number. */
  | {
      readonly type: 'second';
      readonly second: number;
      readonly counts: LoadCounts;
      readonly owed: number;
      /** 0 to 1: how much of the second its event loop was at work. */
      readonly busy: number;
    }
  /** The load is over: `counts` since the last second; of what was sent, what never had a reply, and what lost its connection before it. */
  | {
      readonly type: 'loaded';
      readonly counts: LoadCounts;
      readonly lost: number;
      readonly orphaned: number;
      /** Milliseconds from the start to the last reply. */
      readonly lastReplyMs: number;
    };
