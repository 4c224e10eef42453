import { mean } from '../result/mean.ts';
import type { StageFigures } from './evidence.ts';
import type { Sample } from './process-samples.ts';

/** artillery sends from one thread; more than this of a core is all it has. */
const usedUp = 0.9;

/** Returns the names of stages in which the loader had used up its core: what they show may be its limit and not the server's. */
export function loaderBound(stages: readonly StageFigures[], samples: readonly Sample[]): string[] {
  return stages.filter((stage) => loaderCores(stage, samples) >= usedUp).map(({ name }) => name);
}

function loaderCores({ beganAtMs, endedAtMs }: StageFigures, samples: readonly Sample[]): number {
  const during = samples.filter(({ atMs }) => atMs > beganAtMs && atMs <= endedAtMs);
  const cores = during.flatMap(({ processes }) => processes['loader']?.cores ?? []);
  return mean(cores);
}
