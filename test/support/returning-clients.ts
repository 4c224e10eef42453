import type { Socket } from 'node:net';
import { eventually } from './eventually.ts';
import { ReturningClient } from './returning-client.ts';
import { onTearDown } from './tear-down.ts';

/** Where they connect to, and how often each asks. */
export interface CrowdOptions {
  readonly connect: (n: number) => Socket;
  readonly path?: string;
  readonly pauseMs: number;
}

/** The end of a connection that was open. */
export interface Departure {
  readonly code: number;
  readonly atMs: number;
}

const batch = 100;

/** Many returning clients, and all that has happened to them. */
export class ReturningClients {
  /** Connections that were not opened. */
  readonly refused: string[] = [];
  /** What was heard that should not have been. */
  readonly faults: string[] = [];
  readonly departures: Departure[] = [];
  opened = 0;
  replies = 0;
  longestWaitMs = 0;
  readonly #options: CrowdOptions;
  readonly #clients: ReturningClient[] = [];

  constructor(options: CrowdOptions) {
    this.#options = options;
    onTearDown(() => {
      for (const client of this.#clients) client.cut();
    });
  }

  get count(): number {
    return this.#clients.length;
  }

  get open(): number {
    return this.#clients.filter(({ isOpen }) => isOpen).length;
  }

  /** Adds so many, a few at a time, and waits until all are connected. */
  async add(count: number): Promise<void> {
    const wanted = this.#clients.length + count;
    while (this.#clients.length < wanted) {
      for (let i = 0; i < batch && this.#clients.length < wanted; i++) this.#addOne(this.#clients.length);
      await this.allOpen();
    }
  }

  allOpen(): Promise<void> {
    return eventually(() => {
      if (this.open < this.#clients.length)
        throw new Error(`${this.#clients.length - this.open} not connected`);
    }, 20_000);
  }

  /** Lets everybody have the reply it waits for, and ask no more; throws when one does not come within 30 seconds. */
  async finish(): Promise<void> {
    for (const client of this.#clients) client.leave();
    await eventually(() => {
      const waiting = this.#clients.filter(({ awaitsReply }) => awaitsReply).length;
      if (waiting > 0) throw new Error(`${waiting} requests have no reply`);
    }, 30_000);
  }

  #addOne(n: number): void {
    this.#clients.push(
      new ReturningClient({
        connect: () => this.#options.connect(n),
        path: this.#options.path ?? '/ws',
        pauseMs: this.#options.pauseMs,
        name: `client ${n}`,
        onOpen: () => this.opened++,
        onReply: (waitedMs) => {
          this.replies++;
          this.longestWaitMs = Math.max(this.longestWaitMs, waitedMs);
        },
        onClosed: (code) => this.departures.push({ code, atMs: performance.now() }),
        onRefused: (why) => this.refused.push(why),
        onFault: (what) => this.faults.push(what),
      }),
    );
  }
}
