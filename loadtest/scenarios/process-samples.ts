import { ProcessWatch, type Uses } from '../stand/process-watch.ts';

/** All processes at one moment, in milliseconds since the epoch, with what each used since the sample before. */
export interface Sample extends Pick<Uses, 'processes'> {
  readonly atMs: number;
}

/** Looks at processes once a second, until it is stopped. */
export class ProcessSamples {
  readonly taken: Sample[] = [];
  readonly #watch: ProcessWatch;
  readonly #timer: NodeJS.Timeout;

  /** `pids` has those that run now, by name. */
  constructor(pids: () => Readonly<Record<string, number>>) {
    this.#watch = new ProcessWatch(pids);
    this.#timer = setInterval(() => this.#look(), 1_000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const { processes } = this.#watch.look();
    if (Object.keys(processes).length > 0) this.taken.push({ atMs: Date.now(), processes });
  }
}
