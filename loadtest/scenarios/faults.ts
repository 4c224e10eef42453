import type { GatewayEvidence } from './evidence.ts';
import type { Fault } from './scenario-file.ts';
import type { Stand } from './stand.ts';

export type Played = GatewayEvidence['faults'][number];

/** Plays the faults of a scenario on its stand, each so long after its stage began. */
export class Faults {
  readonly played: Played[] = [];
  readonly #stand: Pick<Stand, 'kill' | 'restart'>;
  readonly #faults: readonly Fault[];
  readonly #onFailure: (error: Error) => void;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(
    stand: Pick<Stand, 'kill' | 'restart'>,
    faults: readonly Fault[],
    onFailure: (error: Error) => void,
  ) {
    this.#stand = stand;
    this.#faults = faults;
    this.#onFailure = onFailure;
  }

  /** A stage began at `atMs` (milliseconds since the epoch). */
  onStage(stage: string, atMs: number): void {
    const passedMs = Date.now() - atMs;
    for (const fault of this.#faults)
      if (fault.stage === stage)
        this.#timers.push(setTimeout(() => void this.#play(fault), fault.after * 1_000 - passedMs));
  }

  /** Plays no more of them. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #play({ kill, start }: Fault): Promise<void> {
    try {
      if (kill !== undefined) {
        await this.#stand.kill(kill);
        this.played.push({ atMs: Date.now(), kind: 'kill', backend: kill });
      }
      if (start !== undefined) {
        await this.#stand.restart(start);
        this.played.push({ atMs: Date.now(), kind: 'start', backend: start });
      }
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}
