import { setTimeout as sleep } from 'node:timers/promises';
import type { RunResult } from '../result/run-result.ts';
import type { Children } from '../stand/children.ts';
import { findCeiling, type Ceiling, type Purpose } from './ceiling.ts';
import { faultCount, Faults } from './faults.ts';
import { grouped } from './grouped.ts';
import type { LoadFigures } from './load-figures.ts';
import { Loaders } from './loaders.ts';
import type { ScaleOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { probe } from './probe.ts';
import { ProcessWatch, usedBy } from './process-watch.ts';
import { connectingStep, loadingStep, type Progress } from './progress.ts';
import type { Stand } from './stand.ts';
import type { SummaryFigures } from './summary.ts';
import { saturated, shownLatency, Timeline } from './timeline.ts';
import { verdictsOn } from './verdicts.ts';

const settleMs = 1_000;
/** After a rate that was too high, until what had piled up is gone: as long as the step was, up to this. */
const longestRecoverMs = 2_000;
const showEveryMs = 100;
/** So many connections may fail, or this share of them, before a run is not worth its time. */
const toleratedFailures = 10;
const toleratedShare = 0.01;
/** A step on the way to the ceiling ends early when messages of so many seconds have no answer. */
const mostBacklogSeconds = 2;
const backlogReplyTimeoutMs = 5_000;
const confirmationTimes = 3;
const rates = { leastRate: 10, mostRate: 1_000_000 };
const questionTimeoutMs = 2_000;

export interface ScaleRunOptions {
  readonly options: ScaleOptions;
  readonly plan: Plan;
  readonly stand: Stand;
  readonly children: Children;
  readonly progress: Progress;
  /** Of the machine. */
  readonly cores: number;
}

interface StepAsked {
  readonly name: string;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Its end may come before its time, when the server falls behind. */
  readonly mayEndEarly?: boolean;
}

/** One run, from the first connection to the last reply. What it has measured can be asked for at any time. */
export class ScaleRun {
  readonly #run: ScaleRunOptions;
  readonly #loaders: Loaders;
  readonly #watch = new ProcessWatch();
  readonly #timeline = new Timeline();
  readonly #stages: RunResult['stages'] = [];
  /** Faults of messages, of all loads. */
  readonly #messageFaults = new Faults();
  readonly #loads: LoadFigures[] = [];
  /** The load that the result speaks of, and the second of the timeline that it began at. */
  #main: { readonly load: LoadFigures; readonly firstSecond: number } | undefined;
  #underWay: { readonly firstSecond: number; readonly step: StepAsked } | undefined;
  #ceiling: Ceiling | undefined;
  #ceilingNote = '';
  #onlineMs = 0;
  #residentBefore: number | undefined;
  #residentHeld: number | undefined;
  #upstreamConnections: number | undefined;
  #lostConnections = 0;
  #warmUpFailures = 0;

  constructor(run: ScaleRunOptions) {
    const { options, stand, children } = run;
    this.#run = run;
    this.#loaders = new Loaders({
      ...{ children, target: stand.target, manyAddresses: stand.manyAddresses },
      ...{ protocol: options.protocol, bytes: options.bytes },
      nodeArgs:
        options.cpuProfileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfileDir}`],
      onFaults: (faults) => this.#onConnectionFaults(faultCount(faults)),
    });
    this.#watch.add(stand.watched);
  }

  /** True once something was loaded: before that there is nothing to tell. */
  get hasLoaded(): boolean {
    return this.#main !== undefined && this.#main.load.received > 0;
  }

  /** Connects all clients; throws when the server does not answer as it should, or too many of them cannot connect. */
  async connect(): Promise<void> {
    const { options, plan, stand, children, progress } = this.#run;
    const { target, name } = stand;
    progress.show({ what: `trying ${name}`, details: [] });
    const { protocol, bytes } = options;
    await children.watch('the first message', 60_000, probe({ target, protocol, bytes, address: name }));
    this.#residentBefore = usedBy(this.#run.stand.serverName, this.#watch.look().processes)?.residentBytes;
    const startedMs = performance.now();
    const show = (): void => {
      const elapsedMs = performance.now() - startedMs;
      const { open, failed } = this.#loaders;
      progress.show(connectingStep(open, failed, options.connections, elapsedMs));
    };
    const shown = setInterval(show, showEveryMs);
    try {
      await this.#loaders.connect(options.connections, plan.loaders);
    } finally {
      clearInterval(shown);
      this.#onlineMs = performance.now() - startedMs;
    }
    if (this.#loaders.open === 0) throw this.#cannotConnect();
    this.#watch.add({ loader: this.#loaders.pids });
    await this.#pause(settleMs);
    this.#residentHeld = usedBy(this.#run.stand.serverName, this.#watch.look().processes)?.residentBytes;
  }

  /** Loads it, after a warm-up, or looks for the ceiling. Throws when a process of the run ends. */
  async load(): Promise<void> {
    const { options, stand } = this.#run;
    const { ratePerSecond, durationMs, warmupMs, findCeiling: ceiling } = options;
    if (warmupMs > 0) {
      const warm = await this.#step(
        { name: 'warming up', ratePerSecond, durationMs: warmupMs, mayEndEarly: ceiling },
        false,
      );
      if (!ceiling) this.#warmUpFailures = warm.failed;
    }
    if (ceiling) await this.#findCeiling();
    else await this.#step({ name: 'loading', ratePerSecond, durationMs });
    const asked = stand.upstreamConnections().catch(() => undefined);
    this.#upstreamConnections = await Promise.race([asked, sleep(questionTimeoutMs, undefined)]);
  }

  /** Ends the load that is under way, after a fault or an interrupt, and keeps what it was until then. */
  async salvage(): Promise<void> {
    const underWay = this.#underWay;
    const load = await this.#loaders.salvage();
    if (load && underWay && underWay.firstSecond >= 0) this.#keep(load, underWay.firstSecond);
  }

  async #findCeiling(): Promise<void> {
    const { options } = this.#run;
    this.#ceiling = await findCeiling({
      ...{ ...rates, startRate: options.ratePerSecond },
      keeps: (ratePerSecond, purpose) => this.#keeps(ratePerSecond, purpose),
    });
  }

  /** One step on the way to the ceiling. */
  async #keeps(ratePerSecond: number, purpose: Purpose): Promise<boolean> {
    const { durationMs: stepMs, p99Ms } = this.#run.options;
    const durationMs = purpose === 'confirmation' ? stepMs * confirmationTimes : stepMs;
    const lostBefore = this.#lostConnections;
    const name = `${purpose}, ${grouped(ratePerSecond)}/s`;
    const load = await this.#step({ name, ratePerSecond, durationMs, mayEndEarly: true });
    const p99 = load.latency.quantileUs(0.99) / 1_000;
    const kept =
      load.failed === 0 &&
      load.received > 0 &&
      this.#lostConnections === lostBefore &&
      p99 < p99Ms! &&
      load.repliesPerSecond >= 0.99 * ratePerSecond;
    const used = this.#timeline.usedSince(this.#main!.firstSecond);
    if (!kept)
      this.#ceilingNote = `at ${grouped(ratePerSecond)}/s, which was not kept, saturated: ${saturated(used, this.#cores)}`;
    const gateway = usedBy(this.#run.stand.serverName, used.processes);
    this.#stages.push({
      ...{ name: purpose, ratePerSecond, repliesPerSecond: load.repliesPerSecond },
      ...{ connections: this.#loaders.open, errorShare: load.due === 0 ? 0 : load.failed / load.due },
      latencyMs: shownLatency(load.latency),
      gatewayCores: gateway?.cores ?? null,
      gatewayResidentBytes: gateway?.residentBytes ?? null,
      passed: kept,
    });
    if (this.#loaders.open === 0) throw new Error('no connection is left to look for the ceiling with');
    await this.#pause(kept ? settleMs / 2 : Math.min(stepMs, longestRecoverMs));
    return kept;
  }

  get #cores(): number {
    return this.#run.cores;
  }

  /** One load, with its seconds in the timeline where it counts. */
  async #step(step: StepAsked, counts = true): Promise<LoadFigures> {
    const { ratePerSecond, durationMs } = step;
    const firstSecond = counts ? this.#timeline.seconds.length : -1;
    this.#underWay = { firstSecond, step };
    this.#timeline.beginLoad();
    this.#watch.look();
    const startedMs = performance.now();
    let last: { perSecond: number; p99Ms: number | undefined; owed: number } | undefined;
    let errors = 0;
    const show = (): void =>
      this.#run.progress.show(
        loadingStep({
          ...{ name: step.name, durationMs, elapsedMs: performance.now() - startedMs },
          ...{ perSecond: last?.perSecond, p99Ms: last?.p99Ms, owed: last?.owed ?? 0 },
          errors: errors + this.#lostConnections,
        }),
      );
    const shown = setInterval(show, showEveryMs);
    let lostBefore = this.#lostConnections;
    try {
      const load = await this.#loaders.load({
        ...{ ratePerSecond, durationMs },
        onSecond: (second) => {
          const p99 = shownLatency(second.latency)?.p99;
          last = { perSecond: second.received, p99Ms: p99, owed: second.owed };
          errors += second.failed;
          const uses = this.#watch.look();
          const lost = this.#lostConnections - lostBefore;
          lostBefore = this.#lostConnections;
          if (counts) this.#timeline.add(second, uses, this.#loaders.open, lost);
          if (step.mayEndEarly && second.owed > mostBacklogSeconds * ratePerSecond)
            this.#loaders.endLoad(backlogReplyTimeoutMs);
        },
      });
      this.#underWay = undefined;
      if (counts) this.#keep(load, firstSecond);
      return load;
    } finally {
      clearInterval(shown);
    }
  }

  #keep(load: LoadFigures, firstSecond: number): void {
    this.#main = { load, firstSecond };
    this.#loads.push(load);
    this.#messageFaults.addAll(load.errors.counted);
    this.#messageFaults.addAll(load.unsent.counted);
    if (load.lost > 0) this.#messageFaults.add('no answer', 'no answer came in time', load.lost);
    if (load.orphaned > 0)
      this.#messageFaults.add(
        'no answer, connection lost',
        'a connection was lost before the answer',
        load.orphaned,
      );
  }

  #onConnectionFaults(count: number): void {
    const { options, children } = this.#run;
    this.#lostConnections += count;
    const { open, failed } = this.#loaders;
    if (this.#underWay) {
      if (open === 0) this.#loaders.endLoad(0);
    } else if (failed > Math.max(toleratedFailures, options.connections * toleratedShare))
      children.fail(this.#cannotConnect());
  }

  #cannotConnect(): Error {
    const { open, failed, faults } = this.#loaders;
    const reasons = Object.entries(faults).map(
      ([kind, { count, first }]) => `  ${kind}: ${grouped(count)}, first: ${first}`,
    );
    return new Error(
      `${this.#run.stand.name} does not let all in: ${grouped(failed)} connections failed, ${grouped(open)} are open\n${reasons.join('\n')}`,
    );
  }

  async #pause(ms: number): Promise<void> {
    await this.#run.children.watch('a pause', ms + 60_000, sleep(ms));
  }

  /** What the table at the end is made of; undefined when nothing was loaded. */
  get figures(): SummaryFigures | undefined {
    if (!this.#main) return undefined;
    return {
      load: this.#main.load,
      used: this.#timeline.usedSince(this.#main.firstSecond),
      connections: this.#run.options.connections,
      residentBefore: this.#residentBefore,
      residentHeld: this.#residentHeld,
      upstreamConnections: this.#upstreamConnections,
      serverName: this.#run.stand.serverName,
      faults: this.#faults.counted,
    };
  }

  /** How the ceiling was found, in words; undefined where it was not looked for. */
  get ceilingText(): string | undefined {
    const { findCeiling: asked, p99Ms, durationMs } = this.#run.options;
    if (!asked) return undefined;
    const found = this.#ceiling;
    const decided = `each step ${durationMs / 1_000} s, one that failed was tried once more; ${this.#ceilingNote}`;
    if (!found) return `the ceiling was not found: the search was cut short (${decided})`;
    if (found.ratePerSecond === undefined)
      return `no rate down to ${rates.leastRate}/s keeps p99 below ${p99Ms} ms without an error (${decided})`;
    const upper =
      found.brokenAt === undefined ? 'and more was not tried' : `${grouped(found.brokenAt)}/s does not`;
    const longer = found.confirmed ? 'a longer run confirms it' : 'no longer run confirmed it';
    return `the ceiling: ${grouped(found.ratePerSecond)} messages/s keep p99 below ${p99Ms} ms without an error, ${upper}; ${longer} (${decided})`;
  }

  get #faults(): Faults {
    const faults = new Faults();
    faults.addAll(this.#loaders.faults);
    faults.addAll(this.#messageFaults.counted);
    if (this.#warmUpFailures > 0)
      faults.add('in the warm-up', 'messages without a right answer', this.#warmUpFailures);
    return faults;
  }

  /** Writes all that was measured into the result. */
  fill(result: RunResult): void {
    const { options } = this.#run;
    const { open, handshake } = this.#loaders;
    const connected = handshake.count > 0 ? handshake.count : open;
    const sum = (of: (load: LoadFigures) => number): number =>
      this.#loads.reduce((total, load) => total + of(load), 0);
    result.totals = {
      ...{ connected, disconnected: Math.max(0, connected - open), failed: this.#faults.total },
      ...{ sent: sum((load) => load.sent), received: sum((load) => load.received) },
      ...{ bytesSent: sum((load) => load.bytesSent), bytesReceived: sum((load) => load.bytesReceived) },
      onlineMs: this.#onlineMs,
    };
    result.handshake = handshake.figures() ?? null;
    result.timeline = this.#timeline.seconds;
    result.stages = this.#stages;
    result.errors = Object.fromEntries(
      Object.entries(this.#faults.counted).map(([kind, { count }]) => [kind, count]),
    );
    if (options.p99Ms !== undefined) result.latencyGoalsMs = { '99': options.p99Ms };
    if (!this.#main) return;
    const { load } = this.#main;
    result.latency = load.latency.figures() ?? null;
    const connections = {
      wanted: options.connections,
      opened: connected,
      open,
      faults: this.#loaders.faults,
    };
    result.verdicts = verdictsOn(load, connections, options.p99Ms);
    if (this.#warmUpFailures > 0)
      result.verdicts.push({
        expectation: 'the warm-up goes without an error',
        measured: `${grouped(this.#warmUpFailures)} messages without a right answer`,
        passed: false,
      });
    if (options.findCeiling)
      result.verdicts.push({
        expectation: `a rate is found that keeps p99 below ${options.p99Ms} ms, and a longer run confirms it`,
        measured:
          this.#ceiling?.ratePerSecond === undefined ? 'none' : `${grouped(this.#ceiling.ratePerSecond)}/s`,
        passed: this.#ceiling?.confirmed === true,
      });
  }
}
