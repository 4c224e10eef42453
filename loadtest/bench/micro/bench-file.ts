/** What one run of a bench is, where that is more than one operation. */
export interface Work {
  /** How many operations, or messages, the figure is divided by. */
  readonly operations: number;
  /** Of all messages together, unpacked, where the figure is shown as MB/s. */
  readonly bytes?: number;
  /** How many times smaller they get. */
  readonly smaller?: number;
}

/** A bench file registers its benches with mitata; this is what it may export. */
export interface BenchFile {
  /** The work of the bench with this title, which is its group, a colon and its name. */
  readonly workOf?: (title: string) => Work | undefined;
}

/** What a bench file has measured, and the CPU time that its process took for it. */
export interface FileFigures {
  readonly timings: readonly Timing[];
  readonly cpuMs: number;
}

/** One bench. */
export interface Timing {
  readonly title: string;
  /** The median of its samples, for one operation. */
  readonly ns: number;
  readonly bytes?: number;
  readonly smaller?: number;
}
