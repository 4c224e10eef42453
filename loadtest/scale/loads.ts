import { kinds } from '../result/failure-kinds.ts';
import { Faults, type CountedFaults } from './faults.ts';
import type { LoadFigures, SecondFigures } from './load-figures.ts';
import type { Loaders } from './loaders.ts';
import type { ProcessWatch } from '../stand/process-watch.ts';
import type { ProgressBar } from '../stand/progress-bar.ts';
import { loadingStep } from './progress.ts';
import { Timeline } from './timeline.ts';

const showEveryMs = 100;
/** A load that may end early does when messages of so many seconds have no answer. */
const mostBacklogSeconds = 2;
const backlogReplyTimeoutMs = 5_000;

export interface LoadsOptions {
  readonly loaders: Loaders;
  readonly watch: ProcessWatch;
  readonly progress: ProgressBar;
}

export interface LoadAsked {
  readonly name: string;
  readonly ratePerSecond: number;
  readonly durationMs: number;
  /** Its end may come before its time, when the server falls behind. */
  readonly mayEndEarly?: boolean;
  /** False for what is no part of the result. */
  readonly counts?: boolean;
}

/** A load that counts, and the second of the timeline that it began at. */
export interface KeptLoad {
  readonly load: LoadFigures;
  readonly firstSecond: number;
}

/** The loads of a run, one after the other, with all their seconds. */
export class Loads {
  readonly timeline = new Timeline();
  readonly kept: KeptLoad[] = [];
  readonly #faults = new Faults();
  readonly #options: LoadsOptions;
  #underWay: { readonly asked: LoadAsked; readonly firstSecond: number } | undefined;
  #lostConnections = 0;

  constructor(options: LoadsOptions) {
    this.#options = options;
  }

  /** True while one is under way. */
  get busy(): boolean {
    return this.#underWay !== undefined;
  }

  /** What went wrong with messages, by kind. */
  get faults(): CountedFaults {
    return this.#faults.counted;
  }

  /** Connections that were lost, or could not be opened, until now. */
  get lostConnections(): number {
    return this.#lostConnections;
  }

  /** So many connections were lost; the load ends with the last one. */
  onLost(connections: number): void {
    this.#lostConnections += connections;
    if (this.busy && this.#options.loaders.open === 0) this.#options.loaders.endLoad(0);
  }

  /** Loads as it is asked to, and shows how far it is. Throws when no connection is left at the end. */
  async run(asked: LoadAsked): Promise<LoadFigures> {
    const { loaders, watch, progress } = this.#options;
    const { name, ratePerSecond, durationMs } = asked;
    const firstSecond = this.timeline.seconds.length;
    this.#underWay = { asked, firstSecond };
    this.timeline.beginLoad();
    watch.look();
    const startedMs = performance.now();
    let [last, failed, lostBefore] = [undefined as SecondFigures | undefined, 0, this.#lostConnections];
    const show = (): void => {
      const elapsedMs = performance.now() - startedMs;
      const errors = failed + this.#lostConnections;
      progress.show(loadingStep({ name, durationMs, elapsedMs, last, errors }));
    };
    const shown = setInterval(show, showEveryMs);
    const onSecond = (second: SecondFigures): void => {
      last = second;
      failed += second.failed;
      const lost = this.#lostConnections - lostBefore;
      lostBefore += lost;
      const uses = watch.look();
      if (asked.counts !== false) this.timeline.add(second, uses, loaders.open, lost);
      if (asked.mayEndEarly && second.owed > mostBacklogSeconds * ratePerSecond)
        loaders.endLoad(backlogReplyTimeoutMs);
    };
    try {
      const load = await loaders.load({ ratePerSecond, durationMs, onSecond });
      this.#keep(load);
      if (loaders.open === 0)
        throw new Error(
          `all connections were lost, the last one ${(load.durationMs / 1_000).toFixed(1)} s into ${name}, which ended there`,
        );
      return load;
    } finally {
      clearInterval(shown);
    }
  }

  /** Ends the load that is under way, after a fault or an interrupt, and keeps what it was until then. */
  async salvage(): Promise<void> {
    const load = await this.#options.loaders.salvage();
    if (load) this.#keep(load);
  }

  #keep(load: LoadFigures): void {
    const { asked, firstSecond } = this.#underWay!;
    this.#underWay = undefined;
    if (asked.counts === false) return;
    this.kept.push({ load, firstSecond });
    this.#faults.addAll(load.errors.counted);
    this.#faults.addAll(load.unsent.counted);
    if (load.lost > 0) this.#faults.add(kinds.replyTimeout, 'no answer came in time', load.lost);
    if (load.orphaned > 0) this.#faults.add(kinds.replyLost, kinds.replyLost, load.orphaned);
  }
}
