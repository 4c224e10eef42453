import { isNoisy } from './bottleneck.ts';
import type { Figures } from './figures.ts';
import { measure } from './measure.ts';
import type { Children } from '../stand/children.ts';
import type { Protocol } from '../loader/script.ts';
import type { Server } from '../stand/servers.ts';

/** A server and what its clients say to it. */
export interface Entrant {
  readonly server: Server;
  readonly protocol: Protocol;
}

/** How long and how often each is measured. */
export interface Pace {
  readonly clients: number;
  readonly warmupMs: number;
  readonly windowMs: number;
  readonly rounds: number;
  /** How often a window is measured again because other programs used the machine; the quietest one counts. */
  readonly retries: number;
}

export interface TurnsOptions {
  readonly children: Children;
  readonly entrants: readonly Entrant[];
  readonly pace: Pace;
  readonly depth: number;
  /** A window is about to be measured. */
  readonly onTurn: (server: Server, round: number) => void;
  readonly onRun: (figures: Figures) => void;
}

/** Lets the servers take turns, A B C … A B C …, and returns all runs in that order; throws as `measure` does. */
export async function measureInTurns({ entrants, depth, ...options }: TurnsOptions): Promise<Figures[]> {
  const { clients, warmupMs, windowMs, rounds, retries } = options.pace;
  const runs: Figures[] = [];
  for (let round = 1; round <= rounds; round++) {
    for (const { server, protocol } of entrants) {
      options.onTurn(server, round);
      const load = { protocol, clients, depth, warmupMs, windowMs };
      const figures = await quietest(retries, () => measure(options.children, server, load));
      options.onRun(figures);
      runs.push(figures);
    }
  }
  return runs;
}

/** Measures again, up to `retries` times, while other programs use the machine; returns the quietest run. */
export async function quietest(retries: number, run: () => Promise<Figures>): Promise<Figures> {
  let best = await run();
  for (let i = 0; i < retries && isNoisy(best); i++) {
    const next = await run();
    if (next.cores.others < best.cores.others) best = next;
  }
  return best;
}
