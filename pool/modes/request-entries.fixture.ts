import { Priority } from '../waiting/priority.ts';
import type { UpstreamConnection } from '../upstream.ts';
import type { Channel } from './channel.ts';
import type { RequestLease } from './request-lease.ts';

/** A request or notification of a client, as the reference sees it. */
export class Entry {
  readonly client: ModelClient;
  /** Place among the client's messages. */
  readonly sequence: number;
  /** Unique mark inside the params; a reply to the request carries it, and nothing else does. */
  readonly token: string;
  /** The id with its JSON type; '' for a notification. */
  readonly id: string;
  /** The message around the id; it must reach the back end untouched. */
  readonly text: readonly [beforeId: string, afterId: string];
  readonly method: 'plain' | 'idempotent' | 'stateful';
  readonly size: number;
  state: 'offered' | 'waiting' | 'submitted' | 'ended' = 'offered';
  batch: ModelBatch | undefined;
  connection: ModelConnection | undefined;
  wireId = -1;
  /** Its bytes were handed to the socket of the connection it is on now. */
  written = false;
  everWritten = false;
  retries = 0;
  acceptedAtMs = 0;
  queuedAtMs = 0;
  /** For an element of a batch, whose outcome is seen only later: what it may be. */
  outcome: 'reply' | ReadonlySet<number> | undefined;

  constructor(parts: Pick<Entry, 'client' | 'sequence' | 'token' | 'id' | 'text' | 'method' | 'size'>) {
    this.client = parts.client;
    this.sequence = parts.sequence;
    this.token = parts.token;
    this.id = parts.id;
    this.text = parts.text;
    this.method = parts.method;
    this.size = parts.size;
  }

  get isNotification(): boolean {
    return this.id === '';
  }
}

/** Its elements in order, with undefined for one that is no request at all. */
export type ModelBatch = readonly (Entry | undefined)[];

/** A client, and what it has outstanding. */
export class ModelClient {
  readonly number: number;
  lease!: RequestLease;
  left = false;
  /** It was told that it will be closed: what it sends is refused. */
  refused = false;
  sent = 0;
  /** Nothing of it may be sent before this time, for something is tried again then. */
  heldUntilMs = 0;
  /** Requests without an end, by id. */
  readonly outstanding = new Map<string, Entry>();
  /** Notifications that were not submitted. */
  readonly notifications = new Set<Entry>();
  /** Those without an answer. */
  readonly batches = new Set<ModelBatch>();

  constructor(number: number) {
    this.number = number;
  }

  get pending(): Entry[] {
    return [...this.outstanding.values(), ...this.notifications];
  }
}

/** An upstream connection, and what the pool gave it. */
export class ModelConnection {
  readonly upstream: UpstreamConnection;
  readonly channel: Channel;
  open = true;
  lastWireId = 0;
  /** Every request that occupies a slot, tombstones included, by wire id. */
  readonly taken = new Map<number, Entry>();
  /** Submitted and not handed to the socket. */
  readonly unwritten: { readonly entry: Entry; readonly text: string }[] = [];
  readonly lastSequence = new Map<ModelClient, number>();

  constructor(upstream: UpstreamConnection, channel: Channel) {
    this.upstream = upstream;
    this.channel = channel;
  }
}

/** What a client or a batch is answered with. */
export interface ClientMessage {
  readonly id?: unknown;
  readonly result?: { readonly token?: string };
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data?: { readonly token?: string };
  };
}

/** Whether the message is what the request has to get. */
export function isOutcome({ id, token, outcome, method }: Entry, message: ClientMessage): boolean {
  if (idOf(message) !== id || outcome === undefined) return false;
  if (outcome === 'reply') return token === (message.result?.token ?? message.error?.data?.token);
  if (!isMadeHere(message) || !outcome.has(message.error!.code)) return false;
  return method !== 'stateful' || /session|in flight/.test(message.error!.message);
}

/** Whether these messages answer the batch, in its order. */
export function isAnswer(batch: ModelBatch, messages: readonly ClientMessage[]): boolean {
  const wanted = batch.filter((entry) => entry?.isNotification !== true);
  if (wanted.length !== messages.length) return false;
  return wanted.every((entry, index) => {
    const message = messages[index]!;
    if (entry !== undefined) return isOutcome(entry, message);
    return message.id === null && message.error?.code === -32600;
  });
}

/** Back ends in these tests always add data to an error. */
export function isMadeHere({ error }: ClientMessage): boolean {
  return error !== undefined && error.data === undefined;
}

/** The id with its JSON type; see `Entry.id`. */
export function idOf(message: ClientMessage | undefined): string {
  return JSON.stringify(message?.id ?? null);
}

/** The class that a message waits in. */
export function priorityOf({ method, client }: Entry): Priority {
  return method === 'idempotent' ? Priority.high : client.lease.priority;
}

/** What a failure calls a message. */
export function name(entry: Entry | undefined): string {
  if (entry === undefined) return 'nothing';
  const { client, sequence, id, token } = entry;
  return `message ${sequence} of client ${client.number} (id ${id === '' ? 'none' : id}, ${token})`;
}

/** Fails the test when something does not hold. */
export function ensure(holds: boolean, otherwise: string | (() => string)): void {
  if (!holds) throw new Error(typeof otherwise === 'string' ? otherwise : otherwise());
}
