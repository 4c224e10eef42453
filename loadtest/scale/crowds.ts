import { fileURLToPath } from 'node:url';
import type { Child } from '../stand/child.ts';
import type { Children } from '../stand/children.ts';
import { deferred, type Deferred } from '../stand/deferred.ts';
import type { CrowdLoad, CrowdOrder, CrowdReport } from './crowd-messages.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import type { Server } from '../stand/servers.ts';

const loaderFile = fileURLToPath(new URL('./crowd.ts', import.meta.url));
/** Of each process: loopback addresses 127.0.<network>.<process>. */
const networks = [1, 2, 3, 4];
const clientsPerSecond = 300;
const graceMs = 90_000;

/** What a crowd saw while it was loaded. */
export interface CrowdFigures {
  readonly replies: number;
  readonly latency: LatencyHistogram;
}

/** Clients in several processes, each from loopback addresses of its own, for one has ports for 28,000 only. */
export class Crowds {
  readonly #children: Children;
  readonly #members: { readonly child: Child; readonly clients: number; next: Deferred<CrowdReport> }[] = [];
  #firstAddress: number;

  constructor(children: Children, firstAddress: number) {
    this.#children = children;
    this.#firstAddress = firstAddress;
  }

  get pids(): number[] {
    return this.#members.map(({ child }) => child.pid);
  }

  /** Connects `clients` of them, in `processes` processes; throws when one is refused, and after a time that leaves them enough. */
  async connect(server: Pick<Server, 'port' | 'path'>, clients: number, processes: number): Promise<void> {
    for (let n = 0; n < processes; n++) {
      const count = Math.floor((clients * (n + 1)) / processes) - Math.floor((clients * n) / processes);
      this.#start({
        ...{ host: '127.0.0.1', port: server.port, path: server.path, clients: count },
        localAddresses: networks.map((network) => `127.0.${network}.${this.#firstAddress}`),
      });
      this.#firstAddress++;
    }
    await this.#children.watch(
      `connecting ${clients} clients`,
      graceMs + (clients / clientsPerSecond) * 1_000,
      this.#reports(),
    );
  }

  /** Loads all of them together at `rate` messages per second. */
  async load({ rate, durationMs }: CrowdLoad): Promise<CrowdFigures> {
    const total = this.#members.reduce((sum, { clients }) => sum + clients, 0);
    for (const member of this.#members) {
      member.next = deferred();
      member.child.send({ rate: (rate * member.clients) / total, durationMs });
    }
    const latency = new LatencyHistogram();
    let replies = 0;
    for (const report of await this.#children.watch('the load', durationMs + graceMs, this.#reports())) {
      if (report.type !== 'loaded') throw new Error(`bug: a crowd reported ${report.type} after a load`);
      replies += report.replies;
      latency.add(LatencyHistogram.decode(report.latency));
    }
    return { replies, latency };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ child }) => child.stop()));
  }

  #start(order: CrowdOrder): void {
    const child = this.#children.startNode('crowd', [loaderFile, JSON.stringify(order)], (message) => {
      const report = message as CrowdReport;
      // A client that is lost between two loads is a fault as well.
      if (report.type === 'fault')
        this.#children.fail(new Error(`a client was dropped, or answered wrongly: ${report.reason}`));
      else member.next.resolve(report);
    });
    const member = { child, clients: order.clients, next: deferred<CrowdReport>() };
    this.#members.push(member);
  }

  #reports(): Promise<CrowdReport[]> {
    return Promise.all(this.#members.map(({ next }) => next.promise));
  }
}
