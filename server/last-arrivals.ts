import type { Listener } from './listener.ts';

const quietAtFirstMs = 0.05;
const turnsPerDoubling = 8;
/** After this long a turn is taken that is short beside the others. */
const pickyMs = 200;
const longestWaitMs = 2_000;
const tickMs = 10;

/**
 * Closes the port at a moment when hardly anybody stands in it: connections that the kernel holds for a listener, and nobody has
 * accepted yet, are reset when it closes (where net.ipv4.tcp_migrate_req is 1, another process on the port gets them). The
 * moment is the end of a short turn of the event loop, which has accepted them all.
 */
export async function closePort(listener: Pick<Listener, 'stopListening'>, now: () => number): Promise<void> {
  const startedAtMs = now();
  let beganAtMs = startedAtMs;
  let shortestMs = Infinity;
  for (let turn = 0; ; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    const nowMs = now();
    const tookMs = nowMs - beganAtMs;
    const waitedMs = nowMs - startedAtMs;
    // What counts as short grows with the load there is.
    const quietMs = quietAtFirstMs * 2 ** Math.floor(turn / turnsPerDoubling);
    // The first turn was under way already. A busy machine may take the core away for long: nobody is accepted meanwhile.
    const isShort = tookMs < quietMs || (waitedMs > pickyMs && tookMs < 2 * shortestMs);
    if ((turn > 0 && isShort) || waitedMs > longestWaitMs) break;
    if (turn > 0) shortestMs = Math.min(shortestMs, tookMs);
    beganAtMs = nowMs;
  }
  listener.stopListening();
}

/** Resolves when everybody who was accepted before the port closed has become a client or gone, at the latest after `timeoutMs`. */
export async function lastArrivals(
  listener: Pick<Listener, 'visitors'>,
  timeoutMs: number,
  now: () => number,
): Promise<void> {
  const startedAtMs = now();
  while (listener.visitors > 0 && now() - startedAtMs < timeoutMs) {
    await new Promise((resolve) => setTimeout(resolve, tickMs));
  }
}
