import { Counters } from './counters.ts';
import { Histogram } from './histogram.ts';

const OPEN = 0;
const RECEIVED = 1;
const RECEIVED_BYTES = 2;
const SENT = 3;
const SENT_BYTES = 4;
const FIRST_LABELLED = 5;

/** A count for one value of a closed label set. */
export interface LabelledCount {
  readonly label: string;
  readonly count: number;
}

/** What the gateway counts about its clients; every hot-path method is a few additions in typed arrays. */
export class GatewayMetrics {
  /** Seconds from a client's frame to the reply being sent. */
  readonly latency = new Histogram();
  /** Seconds from a ping to its pong. */
  readonly heartbeatRtt = new Histogram();
  /** Seconds by which the event loop was late. */
  readonly eventLoopLag = new Histogram();

  readonly #errorTypes: readonly string[];
  readonly #rejectReasons: readonly string[];
  readonly #firstReject: number;
  readonly #counters: Counters;

  constructor({
    errorTypes,
    rejectReasons,
  }: {
    errorTypes: readonly string[];
    rejectReasons: readonly string[];
  }) {
    this.#errorTypes = errorTypes;
    this.#rejectReasons = rejectReasons;
    this.#firstReject = FIRST_LABELLED + errorTypes.length;
    this.#counters = new Counters({ size: this.#firstReject + rejectReasons.length });
  }

  connectionOpened(): void {
    this.#counters.add(OPEN, 1);
  }

  connectionClosed(): void {
    this.#counters.add(OPEN, -1);
  }

  /** One message of `bytes` came from a client. */
  received(bytes: number): void {
    this.#counters.add(RECEIVED, 1);
    this.#counters.add(RECEIVED_BYTES, bytes);
  }

  /** One message of `bytes` went to a client. */
  sent(bytes: number): void {
    this.#counters.add(SENT, 1);
    this.#counters.add(SENT_BYTES, bytes);
  }

  /** One error of the type at this index of `errorTypes` (see `indexByName`). */
  error(type: number): void {
    this.#counters.add(FIRST_LABELLED + type, 1);
  }

  /** One client or message refused for the reason at this index of `rejectReasons` (see `indexByName`). */
  rejected(reason: number): void {
    this.#counters.add(this.#firstReject + reason, 1);
  }

  /** How many were refused for the reason at this index. */
  rejectCount(reason: number): number {
    return this.#counters.value(this.#firstReject + reason);
  }

  get connectionsOpen(): number {
    return this.#counters.value(OPEN);
  }

  get messagesReceived(): number {
    return this.#counters.value(RECEIVED);
  }

  get bytesReceived(): number {
    return this.#counters.value(RECEIVED_BYTES);
  }

  get messagesSent(): number {
    return this.#counters.value(SENT);
  }

  get bytesSent(): number {
    return this.#counters.value(SENT_BYTES);
  }

  /** Every error type with its count, those at 0 too. */
  errorCounts(): LabelledCount[] {
    return this.#labelled(this.#errorTypes, FIRST_LABELLED);
  }

  /** Every reject reason with its count, those at 0 too. */
  rejectCounts(): LabelledCount[] {
    return this.#labelled(this.#rejectReasons, this.#firstReject);
  }

  #labelled(labels: readonly string[], first: number): LabelledCount[] {
    return labels.map((label, index) => ({ label, count: this.#counters.value(first + index) }));
  }
}

/**
 * Each name's index, to be looked up once at start: `const ErrorType = indexByName(errorTypes)`.
 * Throws when a name comes twice.
 */
export function indexByName<const Name extends string>(
  names: readonly Name[],
): Readonly<Record<Name, number>> {
  const indexes = new Map(names.map((name, index) => [name, index]));
  if (indexes.size !== names.length) throw new Error('bug: a label set names a value twice');
  return Object.freeze(Object.fromEntries(indexes)) as Readonly<Record<Name, number>>;
}
