import { barsOf } from './look.ts';
import { wholePicture } from './picture.ts';
import { paint, type Look } from './spans.ts';
import { TopFault } from './top-fault.ts';
import type { TopState } from './top-state.ts';
import type { Watch } from './watch.ts';

const patienceMs = 5_000;

/** Waits for two seconds of the gateway, for rates, and gives all that is known then as lines of `width`. Throws a `TopFault` when none come. */
export async function snapshot(state: TopState, watch: Watch, look: Look, width: number): Promise<string> {
  const stop = new AbortController();
  let first: TopState['latest'];
  const timer = setTimeout(() => stop.abort(), patienceMs);
  const stopListening = watch.onChange(() => {
    if (state.latest !== first && first !== undefined) stop.abort();
    first = state.latest;
  });
  try {
    await watch.hear(stop.signal);
  } finally {
    clearTimeout(timer);
    stopListening();
  }
  if (state.latest === undefined)
    throw new TopFault(`nothing came in ${patienceMs / 1_000} s`, { passing: true });
  await watch.learn();
  const lines = wholePicture(state, { width, bars: barsOf(look) });
  return lines.map((line) => `${paint(line, width, look)}\n`).join('');
}
