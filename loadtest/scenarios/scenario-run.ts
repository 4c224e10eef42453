import { ArtilleryRun, whyFailed } from '../artillery/run.ts';
import { TelemetryBook, type Measured } from '../artillery/telemetry-book.ts';
import type { TelemetryLine } from '../engine/telemetry-line.ts';
import type { StageMessage } from '../engine/stage-messages.ts';
import { total } from '../result/total.ts';
import { listed } from './evidence.ts';
import type { Evidence } from './evidence.ts';
import { Faults } from './faults.ts';
import { metricsBackAt, settledMetrics } from './gateway-books.ts';
import type { MetricsView } from './metrics-view.ts';
import { ProcessSamples } from './process-samples.ts';
import type { Scenario } from './scenario-file.ts';
import { StageCollector } from './stage-collector.ts';
import type { Stand } from './stand.ts';

export interface ScenarioRunOptions {
  readonly scenario: Scenario;
  readonly url: string;
  /** artillery's. */
  readonly program: string;
  /** Undefined when the server is not one of ours. */
  readonly stand: Stand | undefined;
  readonly onFault: (error: Error) => void;
}

/** One run of a scenario: artillery loads, the stand's processes are watched, its faults are played. */
export class ScenarioRun {
  readonly book = new TelemetryBook();
  readonly stages = new StageCollector();
  readonly samples: ProcessSamples;
  readonly startedMs = performance.now();
  readonly #options: ScenarioRunOptions;
  readonly #faults: Faults | undefined;
  /** Failures that the scenario expects, by the second since the epoch at whose end they were told of. */
  readonly #expected = new Map<number, number>();
  #artillery: ArtilleryRun | undefined;
  #output = '';
  #before: MetricsView | undefined;
  #over = false;

  constructor(options: ScenarioRunOptions) {
    const { stand, scenario, onFault } = options;
    this.#options = options;
    this.#faults = stand && new Faults(stand, scenario.stand.faults, onFault);
    this.samples = new ProcessSamples(() => ({
      ...stand?.pids,
      ...(this.#artillery && { loader: this.#artillery.pid }),
    }));
  }

  /** Runs it to its end and returns what was seen; throws when the scenario could not be run. */
  async run(): Promise<Evidence> {
    const { scenario, url, stand, program } = this.#options;
    this.#before = stand && (await settledMetrics(stand.gateway.adminPort));
    this.#artillery = new ArtilleryRun({
      program,
      file: scenario.path,
      args: ['--target', url, '--variables', JSON.stringify(scenario.variables)],
      onTelemetry: (line) => this.#unlessOver(() => this.#onTelemetry(line)),
      onStage: (message) => this.#unlessOver(() => this.#onStage(message)),
    });
    const end = await this.#artillery.ended;
    this.#output = end.output;
    // A check of `ensure` that does not hold makes artillery end with 1.
    if (this.book.counts.begun === 0 || end.fault !== undefined)
      throw new Error(whyFailed(end) ?? 'artillery ended before a client had connected');
    if (this.book.counts.connected === 0)
      throw new Error(
        `no client got in at ${url}: ${listed({ ...this.book.errors, ...this.book.expected })}`,
      );
    return await this.#evidence();
  }

  /** What was measured, the failures that the scenario expects included, with the processes beside it. */
  get measured(): Measured {
    const measured = this.book.measured();
    const startMs = Math.floor(Date.parse(measured.startedAt) / 1_000) * 1_000;
    const timeline = measured.timeline.map((second) => {
      const endMs = startMs + second.at * 1_000;
      const sample = this.samples.taken.findLast(({ atMs }) => atMs > endMs - 1_000 && atMs <= endMs);
      const errors = second.errors + (this.#expected.get(endMs / 1_000) ?? 0);
      return { ...second, errors, processes: sample?.processes ?? {} };
    });
    return { ...measured, errors: { ...measured.errors, ...this.book.expected }, timeline };
  }

  /** What artillery's plugin `ensure` said of its conditions. */
  get checks(): { readonly condition: string; readonly held: boolean }[] {
    const found = this.#output.matchAll(/^(ok|fail): (.+)$/gm);
    return [...found].map(([, mark, condition]) => ({ condition: condition!, held: mark === 'ok' }));
  }

  /** Counts nothing more: what comes now comes of its being ended. */
  freeze(): void {
    this.#over = true;
  }

  /** Ends it, where it still runs. */
  async stop(): Promise<void> {
    this.freeze();
    this.#faults?.stop();
    this.samples.stop();
    this.#artillery?.stop();
    await this.#artillery?.ended;
  }

  async #evidence(): Promise<Evidence> {
    const { stand } = this.#options;
    const { stages, waves, dropped, stalledDropped } = this.stages;
    const seen = { stages, waves, dropped, stalledDropped };
    if (stand === undefined || this.#before === undefined) return { ...seen, gateway: undefined };
    const after = await metricsBackAt(stand.gateway.adminPort, this.#before);
    const memory = this.samples.taken.flatMap(({ atMs, processes }) => {
      const gateway = processes['gateway'];
      return gateway === undefined ? [] : [{ atMs, residentBytes: gateway.residentBytes }];
    });
    return { ...seen, gateway: { memory, before: this.#before, after, faults: this.#faults?.played ?? [] } };
  }

  #onTelemetry(line: TelemetryLine): void {
    const before = total(this.book.expected);
    this.book.take(line);
    const news = total(this.book.expected) - before;
    if (news > 0) this.#expected.set(line.second, (this.#expected.get(line.second) ?? 0) + news);
  }

  #onStage(message: StageMessage): void {
    this.stages.take(message);
    if (message.type === 'stage-began') this.#faults?.onStage(message.name, message.atMs);
  }

  #unlessOver(work: () => void): void {
    if (this.#over) return;
    try {
      work();
    } catch (error) {
      this.#options.onFault(error as Error);
    }
  }
}
