import type { Stage, Verdict } from '../result/run-result.ts';
import { findCeiling, type Ceiling, type Purpose } from './ceiling.ts';
import { grouped } from '../result/grouped.ts';
import type { LoadFigures } from './load-figures.ts';
import type { Loads } from './loads.ts';
import { usedBy } from '../stand/process-watch.ts';
import { saturated } from './timeline.ts';
import { servesRate } from './verdicts.ts';

const restMs = 500;
/** After a rate that was too high, until what had piled up is gone: as long as the step was, up to this. */
const longestRecoverMs = 2_000;
const confirmationTimes = 3;
const rates = { leastRate: 10, mostRate: 1_000_000 };

export interface SearchOptions {
  readonly loads: Loads;
  readonly startRate: number;
  readonly stepMs: number;
  readonly p99Ms: number;
  /** What those are called that clients connect to, among the processes watched. */
  readonly serverName: string;
  /** Of the machine. */
  readonly cores: number;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Waits; throws when a process of the run has ended meanwhile. */
  readonly pause: (ms: number) => Promise<void>;
}

/** The search for the highest rate that keeps a bound on p99 without an error: each step is a load. */
export class Search {
  readonly stages: Stage[] = [];
  readonly #options: SearchOptions;
  #ceiling: Ceiling | undefined;
  #note = 'every step was kept';

  constructor(options: SearchOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { startRate } = this.#options;
    const keeps = (rate: number, purpose: Purpose): Promise<boolean> => this.#keeps(rate, purpose);
    this.#ceiling = await findCeiling({ ...rates, startRate, keeps });
  }

  /** What was found, and how that was decided. */
  get text(): string {
    const { p99Ms, stepMs } = this.#options;
    const promise = `p99 below ${p99Ms} ms without an error`;
    const decided = `each step ${stepMs / 1_000} s, one that failed was tried once more; ${this.#note}`;
    const found = this.#ceiling;
    if (!found) return `the search for the ceiling was cut short (${decided})`;
    if (found.ratePerSecond === undefined)
      return `no rate down to ${rates.leastRate}/s keeps ${promise} (${decided})`;
    const upper = found.brokenAt === undefined ? 'more was not tried' : `${grouped(found.brokenAt)}/s do not`;
    const longer = found.confirmed ? 'a longer run confirms it' : 'no longer run confirmed it';
    return `the ceiling: ${grouped(found.ratePerSecond)} messages/s keep ${promise}, ${upper}; ${longer} (${decided})`;
  }

  get verdict(): Verdict {
    const rate = this.#ceiling?.ratePerSecond;
    return {
      expectation: `a rate is found that keeps p99 below ${this.#options.p99Ms} ms, and a longer run confirms it`,
      measured: rate === undefined ? 'none' : `${grouped(rate)}/s`,
      passed: this.#ceiling?.confirmed === true,
    };
  }

  async #keeps(ratePerSecond: number, purpose: Purpose): Promise<boolean> {
    const { loads, stepMs } = this.#options;
    const lostBefore = loads.lostConnections;
    const load = await loads.run({
      ...{ name: `${purpose}, ${grouped(ratePerSecond)}/s`, ratePerSecond, mayEndEarly: true },
      durationMs: purpose === 'confirmation' ? stepMs * confirmationTimes : stepMs,
    });
    const kept = this.#isKept(load) && loads.lostConnections === lostBefore;
    this.#addStage(load, purpose, kept);
    await this.#options.pause(kept ? restMs : Math.min(stepMs, longestRecoverMs));
    return kept;
  }

  #isKept(load: LoadFigures): boolean {
    const p99 = load.latency.quantileUs(0.99) / 1_000;
    return load.received > 0 && load.failed === 0 && p99 < this.#options.p99Ms && servesRate(load);
  }

  #addStage(load: LoadFigures, purpose: Purpose, kept: boolean): void {
    const { loads, serverName, cores, open } = this.#options;
    const used = loads.timeline.usedSince(loads.kept.at(-1)!.firstSecond);
    if (!kept)
      this.#note = `at ${grouped(load.ratePerSecond)}/s, which was not kept, saturated: ${saturated(used, cores)}`;
    const server = usedBy(serverName, used.processes);
    this.stages.push({
      ...{ name: purpose, ratePerSecond: load.ratePerSecond, repliesPerSecond: load.repliesPerSecond },
      ...{ connections: open(), errorShare: load.due === 0 ? 0 : load.failed / load.due },
      latencyMs: load.latency.shownMs(),
      gatewayCores: server?.cores ?? null,
      gatewayResidentBytes: server?.residentBytes ?? null,
      passed: kept,
    });
  }
}
