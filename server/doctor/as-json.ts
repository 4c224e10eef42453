import type { Examined } from './as-text.ts';
import type { Diagnosis } from './diagnosis.ts';

/** A diagnosis for programs. `clients` is null for a limit that sets no bound, `value` too where it could not be read. */
export function asJson(diagnosis: Diagnosis, { runtime, source }: Examined): string {
  const { demand, limits, holds, first, fits, advice } = diagnosis;
  const report = {
    fits: fits && runtime.engineProblem === undefined,
    holds: holds ?? null,
    maxConnections: demand.wanted,
    bindsFirst: first?.name ?? null,
    perClient: { files: demand.filesPerClient, tcp: demand.tcpPerClient, bytes: demand.bytesPerClient },
    node: runtime.node,
    engine: runtime.engine,
    engineProblem: runtime.engineProblem ?? null,
    configuration: source,
    limits: limits.map(({ name, key, what, value, clients, note, changes }) => ({
      name,
      key,
      what,
      value: finite(value),
      clients: finite(clients),
      note,
      changes,
    })),
    advice,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** JSON has no Infinity. */
function finite(value: number | readonly number[] | undefined): number | readonly number[] | null {
  return value === undefined || value === Infinity ? null : value;
}
