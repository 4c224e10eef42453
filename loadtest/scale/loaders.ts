import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Child } from '../stand/child.ts';
import type { Children } from '../stand/children.ts';
import { deferred, type Deferred } from '../stand/deferred.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { usualBytes, type Protocol } from './exchange.ts';
import { faultCount, Faults, type CountedFaults } from './faults.ts';
import { addCounted } from './latency-counts.ts';
import { LoadFigures, type SecondFigures } from './load-figures.ts';
import type { LoaderOrder, LoaderReport } from './messages.ts';

const loaderFile = fileURLToPath(new URL('./loader.ts', import.meta.url));
/** Of each process: loopback addresses 127.0.<network>.<process>, for one has ports for 28,000 only. */
const networks = [1, 2, 3, 4];
const leastConnectsPerSecond = 200;
const graceMs = 90_000;
/** For all processes to have heard of a load before it begins. */
const leadMs = 150;
/** For replies under way when a run ends before its time. */
const salvageMs = 1_000;
const defaultReplyTimeoutMs = 30_000;
const defaultHandshakeTimeoutMs = 30_000;

export interface LoadersOptions {
  readonly children: Children;
  readonly target: {
    readonly host: string;
    readonly port: number;
    readonly path: string;
    readonly hostHeader?: string | undefined;
  };
  /** Connect from loopback addresses of their own: to a server on this machine. */
  readonly manyAddresses: boolean;
  readonly protocol: Protocol;
  readonly bytes?: number | undefined;
  readonly handshakeTimeoutMs?: number;
  /** Which addresses the first process has; those of a run must differ while they are in use. */
  readonly firstAddress?: number;
  /** For Node, of each process. */
  readonly nodeArgs?: readonly string[];
  /** Clients could not connect, or were lost, since this was called last. */
  readonly onFaults?: (faults: CountedFaults) => void;
}

export interface Load {
  /** Messages per second of all clients together. */
  readonly ratePerSecond: number;
  readonly durationMs: number;
  readonly replyTimeoutMs?: number;
  /** A second is over, in all processes. */
  readonly onSecond?: (second: SecondFigures) => void;
}

interface Member {
  readonly child: Child;
  readonly clients: number;
  readonly connected: Deferred<void>;
  open: number;
  failed: number;
  loading: Loading | undefined;
}

/** A load that a process is at. */
interface Loading {
  readonly over: Deferred<void>;
  readonly figures: LoadFigures;
  /** Of the process, among all of them. */
  readonly number: number;
}

/** The clients of a run, in as many processes as it takes: connects them, and loads the server with all of them together. */
export class Loaders {
  readonly #options: LoadersOptions;
  readonly #members: Member[] = [];
  readonly #faults = new Faults();
  readonly #handshake = new LatencyHistogram();
  #nextAddress: number;
  #nextClient = 0;
  #current:
    | { readonly figures: LoadFigures; readonly over: Promise<unknown>; readonly startEpochMs: number }
    | undefined;

  constructor(options: LoadersOptions) {
    this.#options = options;
    this.#nextAddress = options.firstAddress ?? 1;
  }

  get pids(): number[] {
    return this.#members.map(({ child }) => child.pid);
  }

  /** Clients that are connected now. */
  get open(): number {
    return this.#members.reduce((sum, { open }) => sum + open, 0);
  }

  /** Clients that could not connect. */
  get failed(): number {
    return this.#members.reduce((sum, { failed }) => sum + failed, 0);
  }

  /** Why clients could not connect, or were lost later. */
  get faults(): CountedFaults {
    return this.#faults.counted;
  }

  /** How long the handshakes took. */
  get handshake(): LatencyHistogram {
    return this.#handshake;
  }

  /** Connects `clients` of them in `processes` processes; resolves when each is open or has failed. Throws when a process ends, or all that takes far too long. */
  async connect(clients: number, processes: number): Promise<void> {
    for (let n = 0; n < processes; n++)
      this.#start(Math.floor((clients * (n + 1)) / processes) - Math.floor((clients * n) / processes));
    await this.#options.children.watch(
      `connecting ${clients} clients`,
      graceMs + (clients / leastConnectsPerSecond) * 1_000,
      Promise.all(this.#members.map(({ connected }) => connected.promise)),
    );
  }

  /** Loads the server at that rate; resolves when the time is over and all replies are in, or were waited for in vain. */
  async load({ ratePerSecond, durationMs, replyTimeoutMs, onSecond }: Load): Promise<LoadFigures> {
    const { open } = this;
    const members = this.#members.filter((member) => member.open > 0);
    const figures = new LoadFigures({ ratePerSecond, durationMs, members: members.length, onSecond });
    const startEpochMs = epochMs() + leadMs;
    const timeoutMs = replyTimeoutMs ?? defaultReplyTimeoutMs;
    const total = Math.round((ratePerSecond * durationMs) / 1_000);
    let clients = 0;
    for (const [number, member] of members.entries()) {
      const before = Math.floor((total * clients) / open);
      clients += member.open;
      member.loading = { over: deferred(), figures, number };
      member.child.send({
        ...{ type: 'load', ratePerSecond: (ratePerSecond * member.open) / open, durationMs },
        total: Math.floor((total * clients) / open) - before,
        ...{ startEpochMs, phase: number / members.length, replyTimeoutMs: timeoutMs },
      });
    }
    const over = Promise.all(members.map(({ loading }) => loading!.over.promise));
    this.#current = { figures, over, startEpochMs };
    await this.#options.children.watch('the load', durationMs + timeoutMs + graceMs, over);
    this.#current = undefined;
    return figures;
  }

  /** Ends the load that is on its way: nothing more is sent, and replies are waited for that long. */
  endLoad(replyTimeoutMs: number): void {
    if (!this.#current) return;
    const { figures, startEpochMs } = this.#current;
    figures.durationMs = Math.min(figures.durationMs, Math.max(1, epochMs() - startEpochMs));
    for (const { child, loading } of this.#members) if (loading) child.send({ type: 'stop', replyTimeoutMs });
  }

  /** Ends the load that is on its way, after a fault too, and returns what it was until now; undefined when there is none. */
  async salvage(): Promise<LoadFigures | undefined> {
    if (!this.#current) return undefined;
    const { figures, over } = this.#current;
    this.endLoad(salvageMs);
    await Promise.race([over, sleep(2 * salvageMs)]);
    return figures;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ child }) => child.stop()));
  }

  #start(clients: number): void {
    const { target, protocol, bytes, manyAddresses, handshakeTimeoutMs, nodeArgs } = this.#options;
    const address = this.#nextAddress++;
    const order: LoaderOrder = {
      ...target,
      ...{ protocol, clients },
      localAddresses: manyAddresses ? networks.map((network) => `127.0.${network}.${address}`) : [],
      firstClient: this.#nextClient,
      bytes: bytes ?? usualBytes[protocol],
      handshakeTimeoutMs: handshakeTimeoutMs ?? defaultHandshakeTimeoutMs,
    };
    this.#nextClient += clients;
    const args = [...(nodeArgs ?? []), loaderFile, JSON.stringify(order)];
    const child = this.#options.children.startNode('loader', args, (message) =>
      this.#onReport(member, message as LoaderReport),
    );
    const member: Member = { child, clients, connected: deferred(), open: 0, failed: 0, loading: undefined };
    this.#members.push(member);
  }

  #onReport(member: Member, report: LoaderReport): void {
    switch (report.type) {
      case 'clients':
        member.open = report.open;
        member.failed = report.failed;
        this.#faults.addAll(report.faults);
        if (faultCount(report.faults) > 0) this.#options.onFaults?.(report.faults);
        return;
      case 'connected':
        addCounted(this.#handshake, report.handshake);
        return member.connected.resolve();
      case 'second':
        return member.loading?.figures.onSecond(member.loading.number, report);
      case 'loaded': {
        const loading = member.loading!;
        member.loading = undefined;
        loading.figures.onLoaded(loading.number, report);
        return loading.over.resolve();
      }
    }
  }
}

/** The clock that all processes of a machine share. */
function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
