import type { BenchOptions } from './options.ts';
import type { Subject } from './subject.ts';
import { capacity } from './subjects/capacity.ts';
import { codec } from './subjects/codec.ts';
import { codecGateway } from './subjects/codec-gateway.ts';
import { deflateMemory } from './subjects/deflate-memory.ts';
import { echo } from './subjects/echo.ts';
import { micro, microSubjects } from './subjects/micro.ts';
import { mux } from './subjects/mux.ts';
import { muxStalled } from './subjects/mux-stalled.ts';
import { pooled } from './subjects/pooled.ts';
import { ratelimit } from './subjects/ratelimit.ts';
import { session } from './subjects/session.ts';

/** What runs when nothing is asked for. */
const all: readonly Subject[] = [
  pooled,
  mux,
  muxStalled,
  session,
  echo,
  codec,
  codecGateway,
  deflateMemory,
  ratelimit,
  capacity,
  micro,
];
const byName = new Map([...all, ...microSubjects].map((subject) => [subject.name, subject]));

/** The subjects asked for by name, all when none is; throws for a name that is none, with those there are. */
export function chosenSubjects({ subjects: names }: Pick<BenchOptions, 'subjects'>): readonly Subject[] {
  const unknown = names.find((name) => !byName.has(name));
  if (unknown !== undefined)
    throw new Error(`no subject ${unknown}; there are ${[...byName.keys()].join(', ')}`);
  return names.length === 0 ? all : [...new Set(names)].map((name) => byName.get(name)!);
}
