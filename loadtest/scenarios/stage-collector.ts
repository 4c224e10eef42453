import type { StageEnded, StageMessage, StageSecond } from '../engine/stage-messages.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { total } from '../result/total.ts';
import type { StageFigures, WaveFigures } from './evidence.ts';

/** A stage as far as it was told of. */
interface StageSoFar {
  readonly name: string;
  connections: number;
  readonly wantedPerSecond: number;
  readonly wantedSeconds: number;
  readonly beganAtMs: number;
  endedAtMs: number;
  readonly errors: Record<string, number>;
  readonly latency: LatencyHistogram;
  readonly seconds: { sent: number; replied: number; errors: number }[];
}

interface WaveSoFar {
  readonly name: string;
  tried: number;
  opened: number;
  readonly errors: Record<string, number>;
}

/** Puts together what the engine tells of stages and waves. */
export class StageCollector {
  readonly #stages = new Map<string, StageSoFar>();
  readonly #waves = new Map<string, WaveSoFar>();
  readonly dropped: Record<string, number> = {};
  /** Clients that had stopped reading, and were closed. */
  readonly stalledDropped: Record<string, number> = {};

  take(message: StageMessage): void {
    if (message.type === 'stage-began') this.#begin(message);
    else if (message.type === 'stage-second') this.#addSecond(message);
    else if (message.type === 'stage-ended') this.#end(message);
    else if (message.type === 'wave') this.#addToWave(message.name, message.failure);
    else count(message.stalled ? this.stalledDropped : this.dropped, message.kind);
  }

  get stages(): StageFigures[] {
    return [...this.#stages.values()].map((stage) => {
      const sum = (of: 'sent' | 'replied'): number =>
        stage.seconds.reduce((all, second) => all + second[of], 0);
      return { ...stage, sent: sum('sent'), replied: sum('replied') };
    });
  }

  get waves(): WaveFigures[] {
    return [...this.#waves.values()];
  }

  /** The stage that began last and has not ended, by name. */
  get current(): string | undefined {
    return [...this.#stages.values()].findLast(({ endedAtMs }) => endedAtMs === 0)?.name;
  }

  #begin({ name, connections, rate, seconds, atMs }: StageMessage & { type: 'stage-began' }): void {
    if (this.#stages.has(name))
      throw new Error(`two stages are called ${name}: nothing would tell them apart`);
    this.#stages.set(name, {
      ...{ name, connections, wantedPerSecond: rate, wantedSeconds: seconds },
      ...{ beganAtMs: atMs, endedAtMs: 0, errors: {}, latency: new LatencyHistogram(), seconds: [] },
    });
  }

  #end({ name, atMs, connections }: StageEnded): void {
    const stage = this.#stage(name);
    stage.endedAtMs = atMs;
    stage.connections = connections;
  }

  #addSecond({ name, second, sent, replied, errors, latency }: StageSecond): void {
    const stage = this.#stage(name);
    stage.seconds[second] = { sent, replied, errors: total(errors) };
    for (const [kind, times] of Object.entries(errors)) count(stage.errors, kind, times);
    if (latency !== null) stage.latency.add(LatencyHistogram.decode(latency));
  }

  #addToWave(name: string, failure: string | null): void {
    const wave = this.#waves.get(name) ?? { name, tried: 0, opened: 0, errors: {} };
    this.#waves.set(name, wave);
    wave.tried++;
    if (failure === null) wave.opened++;
    else count(wave.errors, failure);
  }

  #stage(name: string): StageSoFar {
    const stage = this.#stages.get(name);
    if (stage === undefined) throw new Error(`bug: the stage ${name} never began`);
    return stage;
  }
}

function count(counts: Record<string, number>, kind: string, times = 1): void {
  counts[kind] = (counts[kind] ?? 0) + times;
}
