import { errorFields } from './error-fields.ts';
import { LineSampler } from './line-sampler.ts';

export interface FaultLogOptions {
  readonly log: { error(data: object, message: string): void };
  readonly now: () => number;
}

const linesPerSecond = 10;

/** Logs what should never happen: so many lines a second, though it happen with every message. */
export class FaultLog {
  readonly #options: FaultLogOptions;
  readonly #sampler = new LineSampler(linesPerSecond);

  constructor(options: FaultLogOptions) {
    this.#options = options;
  }

  tell(error: unknown): void {
    const { log, now } = this.#options;
    const suppressed = this.#sampler.take(now());
    if (suppressed >= 0) log.error({ err: errorFields(error), suppressed }, 'a handler failed');
  }
}
