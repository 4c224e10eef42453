import { usage } from './options.ts';
import type { BenchOptions } from './options.ts';
import type { Subject } from './subject.ts';
import { capacity } from './subjects/capacity.ts';
import { codec } from './subjects/codec.ts';
import { codecGateway } from './subjects/codec-gateway.ts';
import { deflateMemory } from './subjects/deflate-memory.ts';
import { echo } from './subjects/echo.ts';
import { microSubjects } from './subjects/micro.ts';
import { mux } from './subjects/mux.ts';
import { muxStalled } from './subjects/mux-stalled.ts';
import { pooled } from './subjects/pooled.ts';
import { ratelimit } from './subjects/ratelimit.ts';
import { session } from './subjects/session.ts';

const subjects: readonly Subject[] = [
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
  ...microSubjects,
];

/** The subjects asked for by name, all when none is; throws for a name that is none, with those there are. */
export function chosenSubjects({ subjects: names }: Pick<BenchOptions, 'subjects'>): readonly Subject[] {
  const known = subjects.map((subject) => subject.name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown) throw new Error(`no subject ${unknown}; there are ${known.join(', ')}\n${usage}`);
  return names.length === 0 ? subjects : subjects.filter((subject) => names.includes(subject.name));
}
