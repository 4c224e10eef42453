import { setTimeout as sleep } from 'node:timers/promises';
import { kinds } from '../result/failure-kinds.ts';
import type { RunResult } from '../result/run-result.ts';
import type { Children } from '../stand/children.ts';
import { faultCount, Faults, type CountedFaults } from './faults.ts';
import { grouped } from '../result/grouped.ts';
import type { LoadFigures } from './load-figures.ts';
import { Loaders } from './loaders.ts';
import { Loads } from './loads.ts';
import type { ScaleOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { probe } from './probe.ts';
import type { ProgressBar } from '../stand/progress-bar.ts';
import { namedPids, ProcessWatch, usedBy } from '../stand/process-watch.ts';
import { connectingStep } from './progress.ts';
import { Search } from './search.ts';
import type { Stand } from './stand.ts';
import type { SummaryFigures } from './summary.ts';
import { verdictsOn } from './verdicts.ts';

const probeTimeoutMs = 60_000;
const pauseGraceMs = 60_000;
const settleMs = 1_000;
const showEveryMs = 100;
/** So many connections may fail, or this share of them, before a run is not worth its time. */
const toleratedFailures = 10;
const toleratedShare = 0.01;
const questionTimeoutMs = 2_000;

export interface ScaleRunOptions {
  readonly options: ScaleOptions;
  readonly plan: Plan;
  readonly stand: Stand;
  readonly children: Children;
  readonly progress: ProgressBar;
  /** Of the machine. */
  readonly cores: number;
}

/** One run, from the first connection to the last reply. What it has measured can be asked for at any time. */
export class ScaleRun {
  readonly #run: ScaleRunOptions;
  readonly #loaders: Loaders;
  readonly #watch: ProcessWatch;
  readonly #loads: Loads;
  readonly #search: Search | undefined;
  #onlineMs = 0;
  #residentBefore: number | undefined;
  #residentHeld: number | undefined;
  #upstreamConnections: number | undefined;
  #warmUpFailures = 0;

  constructor(run: ScaleRunOptions) {
    const { options, stand, children, progress, cores } = run;
    const { protocol, bytes, ratePerSecond: startRate, durationMs: stepMs, p99Ms, cpuProfileDir } = options;
    this.#run = run;
    this.#loaders = new Loaders({
      ...{ children, target: stand.target, manyAddresses: stand.manyAddresses, protocol, bytes },
      nodeArgs: cpuProfileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${cpuProfileDir}`],
      onFaults: (faults) => this.#onConnectionFaults(faultCount(faults)),
    });
    this.#watch = new ProcessWatch(() => namedPids({ ...stand.watched, loader: this.#loaders.pids }));
    this.#loads = new Loads({ loaders: this.#loaders, watch: this.#watch, progress });
    if (options.findCeiling)
      this.#search = new Search({
        ...{ loads: this.#loads, startRate, stepMs, p99Ms: p99Ms!, cores },
        ...{ serverName: stand.serverName, open: () => this.#loaders.open },
        pause: (ms) => this.#pause(ms),
      });
  }

  /** True once a message was answered: before that there is nothing to tell. */
  get hasLoaded(): boolean {
    return this.#loads.kept.some(({ load }) => load.received > 0);
  }

  /** Connects all clients; throws when the server does not answer as it should, or too many of them cannot connect. */
  async connect(): Promise<void> {
    const { options, plan, stand, children, progress } = this.#run;
    const { target, name } = stand;
    const { protocol, bytes, connections } = options;
    progress.show({ what: `trying ${name}`, details: [] });
    const tried = probe({ target, protocol, bytes, address: name });
    await children.watch('the first message', probeTimeoutMs, tried);
    this.#residentBefore = this.#residentNow();
    const startedMs = performance.now();
    const show = (): void => {
      const { open, failed } = this.#loaders;
      progress.show(connectingStep(open, failed, connections, performance.now() - startedMs));
    };
    const shown = setInterval(show, showEveryMs);
    try {
      await this.#loaders.connect(connections, plan.loaders);
    } finally {
      clearInterval(shown);
      this.#onlineMs = performance.now() - startedMs;
    }
    if (this.#loaders.open === 0) throw this.#cannotConnect();
    this.#watch.look();
    await this.#pause(settleMs);
    this.#residentHeld = this.#residentNow();
  }

  /** Loads it, after a warm-up, or looks for the ceiling. Throws when a process of the run ends. */
  async load(): Promise<void> {
    const { ratePerSecond, durationMs, warmupMs } = this.#run.options;
    if (warmupMs > 0) {
      const mayEndEarly = this.#search !== undefined;
      const asked = { name: 'warming up', ratePerSecond, durationMs: warmupMs, mayEndEarly, counts: false };
      const { failed } = await this.#loads.run(asked);
      // The first rate of a search may be too high.
      if (!this.#search) this.#warmUpFailures = failed;
    }
    if (this.#search) await this.#search.run();
    else await this.#loads.run({ name: 'loading', ratePerSecond, durationMs });
    const asked = this.#run.stand.upstreamConnections().catch(() => undefined);
    this.#upstreamConnections = await Promise.race([asked, sleep(questionTimeoutMs, undefined)]);
  }

  /** Ends the load that is under way, after a fault or an interrupt, and keeps what it was until then. */
  async salvage(): Promise<void> {
    await this.#loads.salvage();
  }

  /** What the table at the end is made of; undefined when nothing was loaded. */
  get figures(): SummaryFigures | undefined {
    const main = this.#loads.kept.at(-1);
    if (!main) return undefined;
    return {
      load: main.load,
      used: this.#loads.timeline.usedSince(main.firstSecond),
      connections: this.#run.options.connections,
      residentBefore: this.#residentBefore,
      residentHeld: this.#residentHeld,
      upstreamConnections: this.#upstreamConnections,
      serverName: this.#run.stand.serverName,
      faults: this.faults,
    };
  }

  /** All that went wrong, by kind. */
  get faults(): CountedFaults {
    return this.#faults.counted;
  }

  /** How the ceiling was found, in words; undefined where it was not looked for. */
  get ceilingText(): string | undefined {
    return this.#search?.text;
  }

  /** Writes all that was measured into the result. */
  fill(result: RunResult): void {
    const { p99Ms } = this.#run.options;
    const { open, handshake } = this.#loaders;
    const { kept, timeline } = this.#loads;
    const connected = handshake.count > 0 ? handshake.count : open;
    const sum = (of: (load: LoadFigures) => number): number =>
      kept.reduce((total, { load }) => total + of(load), 0);
    const faults = this.#faults;
    result.totals = {
      ...{ connected, disconnected: Math.max(0, connected - open), failed: faults.total },
      ...{ sent: sum(({ sent }) => sent), received: sum(({ received }) => received) },
      bytesSent: sum(({ bytesSent }) => bytesSent),
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      onlineMs: this.#onlineMs,
    };
    result.handshake = handshake.figures() ?? null;
    result.timeline = timeline.seconds;
    result.stages = this.#search?.stages ?? [];
    for (const [kind, { count }] of Object.entries(faults.counted)) result.errors[kind] = count;
    if (p99Ms !== undefined) result.latencyGoalsMs = { '99': p99Ms };
    const main = kept.at(-1);
    if (!main) return;
    result.latency = main.load.latency.figures() ?? null;
    this.#judge(result, main.load, connected);
  }

  #judge({ verdicts }: RunResult, load: LoadFigures, opened: number): void {
    const { connections: wanted, p99Ms } = this.#run.options;
    const { open, faults } = this.#loaders;
    verdicts.push(...verdictsOn(load, { wanted, opened, open, faults }, p99Ms));
    if (this.#warmUpFailures > 0)
      verdicts.push({
        expectation: 'the warm-up goes without an error',
        measured: `${grouped(this.#warmUpFailures)} messages without a right answer`,
        passed: false,
      });
    if (this.#search) verdicts.push(this.#search.verdict);
  }

  get #faults(): Faults {
    const faults = new Faults();
    faults.addAll(this.#loaders.faults);
    faults.addAll(this.#loads.faults);
    if (this.#warmUpFailures > 0)
      faults.add(kinds.inWarmUp, 'messages without a right answer', this.#warmUpFailures);
    return faults;
  }

  async #pause(ms: number): Promise<void> {
    await this.#run.children.watch('a pause', ms + pauseGraceMs, sleep(ms));
  }

  #residentNow(): number | undefined {
    return usedBy(this.#run.stand.serverName, this.#watch.look().processes)?.residentBytes;
  }

  #onConnectionFaults(count: number): void {
    this.#loads.onLost(count);
    const { failed } = this.#loaders;
    const tolerated = Math.max(toleratedFailures, this.#run.options.connections * toleratedShare);
    if (!this.#loads.busy && failed > tolerated) this.#run.children.fail(this.#cannotConnect());
  }

  #cannotConnect(): Error {
    const { open, failed, faults } = this.#loaders;
    const reasons = Object.entries(faults).map(
      ([kind, { count, first }]) => `  ${kind}: ${grouped(count)}, first: ${first}`,
    );
    const what = failed > 0 ? `${grouped(failed)} connections failed` : 'all connections were lost';
    return new Error(
      `${this.#run.stand.name} does not hold all connections: ${what}, ${grouped(open)} are open\n${reasons.join('\n')}`,
    );
  }
}
