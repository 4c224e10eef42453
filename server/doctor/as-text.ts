import type { Diagnosis } from './diagnosis.ts';
import { grouped, sized, type Limit } from './limit.ts';
import type { Runtime } from './runtime.ts';

/** What was looked at, beside the machine. */
export interface Examined {
  readonly runtime: Runtime;
  /** Where the configuration came from. */
  readonly source: string;
}

/** A diagnosis for people: a table, what to change, and the verdict in the last line. */
export function asText(diagnosis: Diagnosis, { runtime, source }: Examined): string {
  const { demand, limits, first, advice } = diagnosis;
  const { filesPerClient, tcpPerClient, bytesPerClient } = demand;
  const engine = runtime.engineProblem ?? `uWebSockets.js (${runtime.engine}) loads`;
  return [
    `Node ${runtime.node}; ${engine}; configuration: ${source}`,
    `A client takes ${counted(filesPerClient, 'file')}, ${counted(tcpPerClient, 'TCP connection')} and ${sized(bytesPerClient)} of memory.`,
    '',
    ...table([['limit', 'value', 'clients', ''], ...limits.map((limit) => row(limit, limit === first))]),
    ...changes(limits),
    ...(advice.length === 0 ? [] : ['', ...advice.map((line) => `Note: ${line}`)]),
    '',
    verdict(diagnosis, runtime),
    '',
  ].join('\n');
}

function row({ key, what, shown, clients, note }: Limit, first: boolean): string[] {
  const allowed = clients === undefined ? 'unknown' : clients === Infinity ? '-' : grouped(clients);
  const said = [...(first ? ['<- comes first'] : []), what, ...(note === '' ? [] : [note])];
  return [key, shown, allowed, said.join('; ')];
}

/** Cells under one another; the last column is of any width. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 1 || column === 2 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

function changes(limits: readonly Limit[]): string[] {
  const lines = limits.flatMap(({ changes: found }) => found);
  if (lines.length === 0) return [];
  const width = Math.max(...lines.map(({ line }) => line.length));
  return ['', 'To change:', ...lines.map(({ line, where }) => `  ${line.padEnd(width)}  # ${where}`)];
}

function verdict({ holds, fits, demand, first }: Diagnosis, { engineProblem }: Runtime): string {
  if (engineProblem !== undefined) return `The gateway cannot start here: ${engineProblem}`;
  const wanted = `listen.maxConnections is ${grouped(demand.wanted)}`;
  if (holds === undefined) return `No limit of this machine could be read; ${wanted}.`;
  const held = `This machine can hold ${counted(holds, 'connection')}`;
  return fits ? `${held}; ${wanted}: fits.` : `${held}, by ${first!.key}; ${wanted}: does not fit.`;
}

function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`;
}
