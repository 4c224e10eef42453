import type { Children } from '../stand/children.ts';
import { missingPeer, programFile } from '../stand/peers.ts';
import { wantedRatios } from './contestants.ts';
import type { Contestant } from './contestants.ts';
import { mediansOf } from './figures.ts';
import type { Figures } from './figures.ts';
import type { CompareOptions } from './options.ts';
import { ratioOf } from './ratio.ts';
import type { Ratio } from './ratio.ts';
import { Backends } from './stand.ts';
import { runLine } from './table.ts';
import { measureInTurns } from './turns.ts';
import type { Entrant } from './turns.ts';

/** All that was measured at one depth, and what it says. */
export interface DepthFigures {
  readonly depth: number;
  /** How often those were measured that were most often. */
  readonly rounds: number;
  /** Of each contestant, in the order of the list. */
  readonly medians: readonly Figures[];
  readonly ratios: readonly Ratio[];
}

export interface RunOptions {
  readonly children: Children;
  readonly dir: string;
  readonly options: CompareOptions;
  readonly progress: (text: string) => void;
  /** A window was measured. */
  readonly onRun: (figures: Figures) => void;
  /** All that was asked for at one depth was measured. */
  readonly onDepth: (figures: DepthFigures) => void;
}

/** Tells those that can take part from those whose program is not installed. */
export function presentAmong(
  chosen: readonly Contestant[],
  find: (program: string) => string | undefined = programFile,
): { readonly present: readonly Contestant[]; readonly missing: readonly string[] } {
  const isMissing = ({ peer }: Contestant): boolean => peer !== undefined && find(peer.name) === undefined;
  return {
    present: chosen.filter((contestant) => !isMissing(contestant)),
    missing: chosen.filter(isMissing).map(({ peer }) => missingPeer(peer!)),
  };
}

/** Starts all contestants and lets them take turns at each depth; throws on a wrong reply, a lost message or a process that died. */
export async function runComparison(
  present: readonly Contestant[],
  { children, dir, options, progress, onRun, onDepth }: RunOptions,
): Promise<void> {
  const { pace, depths, gatewayFile } = options;
  progress(`starting ${present.map(({ name }) => name).join(', ')} …`);
  const stand = { children, dir, clients: pace.clients, gatewayFile, cpuProfileDir: undefined };
  const backends = new Backends(children);
  const entrants: readonly Entrant[] = await Promise.all(
    present.map(async ({ protocol, start }) => ({ protocol, server: await start(stand, backends) })),
  );
  for (const depth of depths) {
    const runs = await measureInTurns({
      ...{ children, entrants, pace, depth },
      onTurn: ({ name }, round) => progress(`depth ${depth}, round ${round} of ${pace.rounds}: ${name} …`),
      onRun: (figures) => {
        progress(runLine(figures));
        onRun(figures);
      },
    });
    onDepth(figuresAt(depth, runs));
  }
}

/** Returns what the runs at one depth say, all or those there are until now. */
export function figuresAt(depth: number, runs: readonly Figures[]): DepthFigures {
  const own = runs.filter((run) => run.depth === depth);
  const medians = mediansOf(own);
  const rounds = own.filter(({ server }) => server === own[0]?.server).length;
  const of = (name: string): Figures | undefined => medians.find(({ server }) => server === name);
  const ratios = wantedRatios.flatMap(({ a, b, goals }) => {
    const [one, other] = [of(a), of(b)];
    return one && other ? [ratioOf(one, other, goals[depth])] : [];
  });
  return { depth, rounds, medians, ratios };
}
