import { vi } from 'vitest';
import { LeastConnections } from '../balancers/least-connections.ts';
import type { ClientSide } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { methodTable } from '../jsonrpc/method-table.ts';
import { noObserver } from '../observer.fixture.ts';
import type { SubscriptionSettings } from '../subscriptions/settings.ts';
import { dialogueRoles, type DialogueSettings } from './dialogue.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import type { RequestLease } from './request-lease.ts';
import { RequestMode, type RequestLimits } from './request.ts';

/** A message of either side, parsed. */
export interface Message {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** A client of a pool in request mode, and what it was told. */
export class FakeClient implements ClientSide {
  readonly id = 1;
  readonly requestId = '';
  readonly isLimited = false;
  readonly texts: string[] = [];
  /** It was told that its upstream is lost, and is closed. */
  told = false;
  lease!: RequestLease;

  charge(): number {
    return 0;
  }

  chargeBatch(): never[] {
    return [];
  }

  unreadBytes(): number {
    return 0;
  }

  endSlowReader(): void {
    throw new Error('this client is not slow');
  }

  deliver(buf: Uint8Array, start: number, end: number): void {
    this.texts.push(Buffer.from(buf.subarray(start, end)).toString());
  }

  deliverSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void {
    const parts = [buf.subarray(start, cutStart), id.subarray(idStart, idEnd), buf.subarray(cutEnd, end)];
    this.texts.push(Buffer.concat(parts).toString());
  }

  send(bytes: Uint8Array): void {
    this.texts.push(Buffer.from(bytes).toString());
  }

  onUpstreamClose(): void {
    this.told = true;
  }

  say(message: unknown): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    this.lease.send(new Uint8Array(Buffer.from(text)), false);
  }

  ask(id: unknown, method: string, params: unknown): void {
    this.say({ jsonrpc: '2.0', id, method, params });
  }

  leave(): void {
    this.lease.release();
  }

  /** What it was told since the last look. */
  heard(): (Message | Message[])[] {
    return this.texts.splice(0).map((text) => JSON.parse(text) as Message | Message[]);
  }

  /** The only message since the last look. */
  heardOne(): Message {
    const [message, ...more] = this.heard();
    if (message === undefined || Array.isArray(message) || more.length > 0)
      throw new Error(`heard ${JSON.stringify([message, ...more])}`);
    return message;
  }
}

const limits: RequestLimits = {
  minConnections: 1,
  maxInFlightPerConnection: 8,
  maxInFlightPerClient: 10,
  maxBatchSize: 5,
  maxBatchReplyBytes: 1_000,
  requestTimeoutMs: 2_000,
  queue: {
    maxSize: 10,
    maxBytes: 10_000,
    maxBytesPerClient: 10_000,
    timeoutMs: 1_500,
    priority: { high: 3, medium: 2, low: 1 },
  },
  maxRetries: 1,
  retryBudgetRatio: 0.1,
  retryBackoffMs: 0,
  faultCodes: new Set(),
  methods: methodTable({}),
  idCeiling: 2 ** 52,
};

const subscriptions: SubscriptionSettings = {
  presets: ['ethereum'],
  custom: [],
  progress: [],
  cancel: [],
  asks: [],
  coalesce: false,
  whenLost: 'restore',
  restoreTimeoutMs: 5_000,
  maxPerClient: 5,
  maxPerPool: 100,
  maxEarlyBytes: 1_000,
};

export interface PoolChanges {
  readonly subscriptions?: Partial<SubscriptionSettings>;
  readonly coalesceMethods?: readonly string[];
  readonly maxCoalesced?: number;
  readonly limits?: Partial<RequestLimits>;
  readonly idempotent?: readonly string[];
  readonly endpoints?: number;
  readonly maxConnections?: number;
}

/** A pool in request mode on connections that a test opens and speaks for. Time is vitest's. */
export class FakePool {
  readonly dialer = new FakeDialer({ maxBufferedBytes: 100_000 });
  readonly mode: RequestMode;

  constructor(changes: PoolChanges = {}) {
    const log = noLog;
    const balancer = new LeastConnections({ random: () => 0.5 });
    const now = (): number => Date.now();
    const { endpoints = 1, maxConnections = 4 } = changes;
    const connector = new Connector({
      pool: 'main',
      endpoints: Array.from(
        { length: endpoints },
        (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: true }),
      ),
      dialer: this.dialer,
      balancer,
      maxConnections,
      reconnect: { baseDelayMs: 100, maxDelayMs: 100, factor: 1, jitter: false },
      now,
      random: () => 0.5,
      log,
    });
    const dialogue: DialogueSettings = {
      subscriptions: { ...subscriptions, ...changes.subscriptions },
      coalesceMethods: changes.coalesceMethods ?? [],
      maxCoalesced: changes.maxCoalesced ?? 100,
    };
    this.mode = new RequestMode({
      connector,
      balancer,
      limits: {
        ...limits,
        methods: methodTable({ idempotent: changes.idempotent ?? [], roles: dialogueRoles(dialogue) }),
        ...changes.limits,
      },
      now,
      observer: noObserver,
      log,
      name: 'main',
      scaling: { scaleUpThreshold: 0.7, scaleDownThreshold: 0.3, scaleIntervalMs: 5_000, maxLifetimeMs: 0 },
      dialogue,
      random: () => 0.5,
    });
  }

  client(): FakeClient {
    const client = new FakeClient();
    client.lease = this.mode.lease(client);
    return client;
  }

  /** Lets the oldest dial succeed. */
  open(): FakeUpstream {
    return new FakeUpstream(this.dialer.pending[0]!.open());
  }

  get subscriptions(): { readonly client: number; readonly upstream: number } {
    const { owned, placed } = this.mode.dialogue!.subscriptions!;
    return { client: owned, upstream: placed };
  }

  /** What is accepted and has had no end. */
  get unsettled(): number {
    const { accepted, replied, errored, abandoned } = this.mode.counts;
    return accepted - replied - errored - abandoned;
  }
}

/** The far side of an upstream connection. */
export class FakeUpstream {
  readonly connection: FakeConnection;
  #read = 0;

  constructor(connection: FakeConnection) {
    this.connection = connection;
  }

  /** What it was asked since the last look. */
  asked(): Message[] {
    // What a timer has just written leaves a moment later.
    vi.advanceTimersByTime(1);
    const { texts } = this.connection;
    const fresh = texts.slice(this.#read).map((text) => JSON.parse(text) as Message);
    this.#read = texts.length;
    return fresh;
  }

  /** The only question since the last look. */
  askedOne(): Message {
    const [message, ...more] = this.asked();
    if (message === undefined || more.length > 0)
      throw new Error(`asked ${JSON.stringify([message, ...more])}`);
    return message;
  }

  say(message: unknown): void {
    this.connection.say(typeof message === 'string' ? message : JSON.stringify(message));
  }

  reply(id: unknown, result: unknown): void {
    this.say({ jsonrpc: '2.0', id, result });
  }

  notify(subscription: unknown, result: unknown): void {
    this.say({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } });
  }

  /** The connection breaks. */
  die(): void {
    this.connection.socket.close();
  }
}
