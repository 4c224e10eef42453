import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ArtilleryRun, whyFailed } from '../artillery/run.ts';
import { TelemetryBook } from '../artillery/telemetry-book.ts';
import type { TelemetryLine } from '../engine/telemetry-line.ts';
import type { WorkerScript } from './script.ts';

/** How a load ended. */
export interface LoadEnd {
  /** Why artillery did not do its part, in its own words. */
  readonly fault: string | undefined;
  readonly interrupted: boolean;
}

/** All artillery processes of a run, and what they measure. */
export class Load {
  readonly book = new TelemetryBook();
  /** Resolves when all of them are gone. */
  readonly ended: Promise<LoadEnd>;
  readonly #runs: readonly ArtilleryRun[];
  readonly #dir: string;
  #interrupted = false;

  /** Starts them, each with a scenario in a temporary folder that goes with them. */
  constructor(program: string, scripts: readonly WorkerScript[]) {
    this.#dir = mkdtempSync(join(tmpdir(), `wsluice-loadtest-${process.pid}-`));
    const removeDir = (): void => rmSync(this.#dir, { recursive: true, force: true });
    process.once('exit', removeDir);
    this.#runs = scripts.map((worker, i) =>
      this.#start(program, worker, join(this.#dir, `thor-${i + 1}.json`)),
    );
    this.ended = this.#end().finally(removeDir);
  }

  /** Ends the load; what was measured until then counts. */
  interrupt(): void {
    this.#interrupted = true;
    this.#stop();
  }

  #start(program: string, { clients, script }: WorkerScript, file: string): ArtilleryRun {
    writeFileSync(file, JSON.stringify(script));
    const run: ArtilleryRun = new ArtilleryRun({
      program,
      file,
      onTelemetry: (line: TelemetryLine) => {
        this.book.take(line);
        // artillery would look for something to do for seconds.
        if (line.counts.over >= clients) run.stop();
      },
    });
    return run;
  }

  async #end(): Promise<LoadEnd> {
    const faults = await Promise.all(
      this.#runs.map(async (run) => {
        const fault = whyFailed(await run.ended);
        // The others alone would be another load than the one asked for.
        if (fault !== undefined) this.#stop();
        return fault;
      }),
    );
    const fault = faults.find((reason) => reason !== undefined);
    return { fault, interrupted: this.#interrupted };
  }

  #stop(): void {
    for (const run of this.#runs) run.stop();
  }
}
