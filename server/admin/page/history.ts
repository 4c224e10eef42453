import type { LiveHistorySample } from '../../live/live-sample.ts';

/** How far back the charts go, in samples of a second. */
export const keptSamples = 300;
/** Between samples further apart than this there was nobody to ask. */
const gapMs = 3_500;

/** A second, or null where the gateway could not be reached. */
export type Second = LiveHistorySample | null;

/** The last five minutes. */
export class History {
  #seconds: Second[] = [];
  #times: number[] = [];

  /** The last second, undefined when there is none yet. */
  get latest(): LiveHistorySample | undefined {
    return this.#seconds.at(-1) ?? undefined;
  }

  get seconds(): readonly Second[] {
    return this.#seconds;
  }

  /** When each second was, in Unix seconds, as uPlot counts. */
  get times(): readonly number[] {
    return this.#times;
  }

  /** What the gateway remembers. Of what the page knows, only what is older stays. */
  begin(samples: readonly LiveHistorySample[]): void {
    const firstAt = samples[0]?.at ?? Infinity;
    const older = this.#seconds.filter((second) => second !== null && second.at < firstAt);
    this.#clear();
    for (const second of [...older, ...samples]) if (second !== null) this.add(second);
  }

  /** A sample older than the last one is of a clock that was set back: all that was before it goes. */
  add(sample: LiveHistorySample): void {
    const { latest } = this;
    if (latest !== undefined && sample.at <= latest.at) this.#clear();
    else if (latest !== undefined && sample.at - latest.at > gapMs) this.#push(null, latest.at + 1_000);
    this.#push(sample, sample.at);
  }

  #clear(): void {
    this.#seconds = [];
    this.#times = [];
  }

  #push(second: Second, at: number): void {
    this.#seconds.push(second);
    this.#times.push(at / 1_000);
    if (this.#seconds.length <= keptSamples) return;
    this.#seconds.shift();
    this.#times.shift();
  }
}
