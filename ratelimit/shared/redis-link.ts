import { leaseAnswer, leaseArguments, type LeaseAnswer, type LeaseRequest } from './lease-script.ts';
import { createRedisClient, reachMasters, type RedisClient } from './redis-client.ts';
import type { RedisTarget } from './redis-url.ts';

/** Where leases come from. */
export interface LeaseLink {
  /** Whether Redis answers now. */
  readonly up: boolean;
  /**
   * What Redis says to a request, or undefined when it has not within `patienceMs`; never rejects. What is granted later than
   * that is given back.
   */
  ask(key: string, request: LeaseRequest, patienceMs: number): Promise<LeaseAnswer | undefined>;
  /** Tells the listener at once of every change; returns how to stop that. */
  onChange(listener: (up: boolean) => void): () => void;
}

export interface RedisLinkOptions {
  readonly target: RedisTarget;
  /** Written again and again to see whether Redis takes writes. */
  readonly probeKey: string;
  /** After how long without an answer Redis is taken to be away, however patient who asks is. */
  readonly commandTimeoutMs?: number;
  /** Called once per change; also when the first attempt fails. The reason has nothing of the URL in it. */
  readonly onState: (up: boolean, reason: string) => void;
  readonly now: () => number;
  /** A number from 0 up to but not including 1. */
  readonly random: () => number;
  /** Makes a client; for tests. */
  readonly connect?: (target: RedisTarget) => RedisClient;
}

const defaultCommandTimeoutMs = 50;
/** A command is late when this thread has looked as often for its answer. */
const ticksPerTimeout = 10;
const dialTimeoutMs = 2_000;
const minRetryMs = 20;
const maxRetryMs = 500;
/** A link that was up this long starts its attempts from the beginning. */
const steadyMs = 1_000;
/** What is asked beyond so many commands under way has no answer. */
const maxPending = 20_000;

const probe: LeaseRequest = {
  strategy: 'token-bucket',
  settings: { ratePerSecond: 1000, burst: 1000, windowMs: 1000 },
  ...{ want: 0, least: 0, returned: 0, blockMs: 0 },
};

/** Something that Redis has not answered yet. */
interface Command {
  readonly sentTick: number;
  /** There is no answer any more. */
  readonly abandon: () => void;
}

const giveBack = { want: 0, least: 0, blockMs: 0 } as const;

/**
 * A connection to Redis that is either up or down, for all who use it at once. The first command that fails or is late takes
 * it down: the connection is dropped with all that was under way, and dialled again, at random times of half a second at most,
 * until a command has been answered. Only time in which this thread was there to read an answer counts. Each dial has a client
 * of its own, so that nothing of the past is left in it.
 */
export class RedisLink implements LeaseLink {
  readonly #options: RedisLinkOptions;
  readonly #timeoutMs: number;
  readonly #listeners = new Set<(up: boolean) => void>();
  /** Commands under way, the oldest first. */
  readonly #pending = new Set<Command>();
  #client: RedisClient | undefined;
  #up = false;
  #closed = false;
  #saidUp: boolean | undefined;
  #attempts = 0;
  #upSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Counts the ticks of a timer that runs while commands are under way. */
  #ticks = 0;
  #ticker: NodeJS.Timeout | undefined;

  /** Begins to connect. */
  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#timeoutMs = options.commandTimeoutMs ?? defaultCommandTimeoutMs;
    this.#dial();
  }

  get up(): boolean {
    return this.#up;
  }

  ask(key: string, request: LeaseRequest, patienceMs: number): Promise<LeaseAnswer | undefined> {
    const client = this.#client;
    if (!this.#up || client === undefined) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      // A timer may be late because this thread was busy, maybe before the command was written: that counts as half of the time at
      // most, and what has arrived meanwhile is read before immediates run.
      let isOver = false;
      const giveUp = (): void => {
        isOver = true;
        resolve(undefined);
      };
      let timer = setTimeout(() => {
        timer = setTimeout(() => void setImmediate(giveUp), patienceMs / 2);
      }, patienceMs / 2);
      if (this.#pending.size >= maxPending) return;
      void this.#send(client, key, request).then((answer) => {
        clearTimeout(timer);
        resolve(answer);
        if (isOver && answer !== undefined && answer.granted > 0 && client === this.#client)
          void this.#send(client, key, { ...request, ...giveBack, returned: answer.granted });
        this.#dropWhenDone();
      });
    });
  }

  onChange(listener: (up: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Asks nothing more, and drops the connection for good when all that was asked has its answer. */
  close(): void {
    this.#closed = true;
    this.#up = false;
    clearTimeout(this.#timer);
    this.#dropWhenDone();
  }

  /** What Redis says, or undefined when it is taken to be away before. */
  #send(client: RedisClient, key: string, request: LeaseRequest): Promise<LeaseAnswer | undefined> {
    return new Promise((resolve) => {
      const settle = (answer: LeaseAnswer | undefined): void => {
        this.#pending.delete(command);
        resolve(answer);
      };
      const command = { sentTick: this.#ticks, abandon: () => settle(undefined) };
      this.#pending.add(command);
      this.#ticker ??= setInterval(this.#onTick, this.#timeoutMs / ticksPerTimeout);
      client
        .takeLease(key, ...leaseArguments(request))
        .then(leaseAnswer)
        .then(settle, (error: unknown) => this.#lose(client, reasonOf(error)));
    });
  }

  /** A thread that was busy for long has one tick for it. What has arrived meanwhile is read before immediates run. */
  readonly #onTick = (): void => {
    this.#ticks++;
    if (this.#pending.size === 0) this.#stopTicker();
    else if (this.#isLate()) setImmediate(this.#giveUpWhenLate);
  };

  readonly #giveUpWhenLate = (): void => {
    if (this.#client !== undefined && this.#isLate())
      this.#lose(this.#client, `no answer in ${this.#timeoutMs} ms`);
  };

  #isLate(): boolean {
    const [oldest] = this.#pending;
    return oldest !== undefined && this.#ticks - oldest.sentTick >= ticksPerTimeout;
  }

  #stopTicker(): void {
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #dial(): void {
    const { target, probeKey, connect = createRedisClient } = this.#options;
    const client = connect(target);
    this.#client = client;
    client.on('error', (error: unknown) => this.#lose(client, reasonOf(error)));
    client.on('end', () => this.#lose(client, 'connection closed'));
    this.#timer = setTimeout(() => this.#lose(client, `no answer in ${dialTimeoutMs} ms`), dialTimeoutMs);
    const opened = client.connect().then(() => reachMasters(client));
    opened.then(
      async () => {
        if (this.#client !== client) return;
        const answer = await this.#send(client, probeKey, probe);
        if (answer !== undefined) this.#rise(client);
        this.#dropWhenDone();
      },
      (error: unknown) => this.#lose(client, reasonOf(error)),
    );
  }

  #rise(client: RedisClient): void {
    if (this.#client !== client || this.#closed) return;
    clearTimeout(this.#timer);
    this.#up = true;
    this.#upSinceMs = this.#options.now();
    this.#tell(true, 'answers');
  }

  /** This client is of no use any more; another one will be tried. */
  #lose(client: RedisClient, reason: string): void {
    if (this.#client !== client) return;
    if (this.#up && this.#options.now() - this.#upSinceMs >= steadyMs) this.#attempts = 0;
    this.#drop(client);
    if (this.#closed) return;
    const ceilingMs = Math.min(minRetryMs * 2 ** this.#attempts, maxRetryMs);
    this.#attempts = Math.min(this.#attempts + 1, 10);
    this.#timer = setTimeout(() => this.#dial(), ceilingMs * (0.5 + this.#options.random() / 2));
    this.#tell(false, reason);
  }

  #dropWhenDone(): void {
    const client = this.#client;
    if (this.#closed && client !== undefined && this.#pending.size === 0) this.#drop(client);
  }

  #drop(client: RedisClient): void {
    clearTimeout(this.#timer);
    this.#client = undefined;
    this.#up = false;
    this.#stopTicker();
    client.disconnect();
    for (const { abandon } of [...this.#pending]) abandon();
  }

  #tell(up: boolean, reason: string): void {
    if (this.#saidUp === up) return;
    this.#saidUp = up;
    this.#options.onState(up, reason);
    for (const listener of this.#listeners) listener(up);
  }
}

/** The code of an error, never its message: that of an unknown command repeats the password. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  return /^-?([A-Z]{2,20})\b/.exec(error.message)?.[1] ?? error.name;
}
