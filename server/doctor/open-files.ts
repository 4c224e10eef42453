import type { Demand } from './demand.ts';

/** Files that are kept for others than clients: listeners, operators, Redis, and clients on their way in or out. */
export function spareFiles(openFiles: number): number {
  return Math.min(1_024, Math.max(100, Math.floor(openFiles / 20)));
}

/** What the number of open files depends on. */
export type FileDemand = Pick<Demand, 'filesPerClient' | 'sharedConnections'>;

/** How many clients a limit on open files allows, shared upstream connections included, which get half of the files at most. */
export function clientsByFiles(openFiles: number, demand: FileDemand): number {
  return Math.floor(filesForClients(openFiles, demand) / demand.filesPerClient);
}

/** The same where only so many clients can have an upstream connection of their own at a time, as a gateway lets them in. */
export function clientsLetIn(
  openFiles: number,
  demand: Pick<Demand, 'sharedConnections' | 'ownConnections'>,
): number {
  const files = filesForClients(openFiles, demand);
  return Math.max(Math.floor(files / 2), files - demand.ownConnections);
}

/** A limit on open files, in steps of 1,024, with which so many clients fit beside all shared upstream connections. */
export function filesFor(clients: number, demand: FileDemand): number {
  const least = clients * demand.filesPerClient + demand.sharedConnections;
  let openFiles = Math.ceil(least / 1_024) * 1_024;
  while (clientsByFiles(openFiles, demand) < clients) openFiles += 1_024;
  return openFiles;
}

function filesForClients(
  openFiles: number,
  { sharedConnections }: Pick<Demand, 'sharedConnections'>,
): number {
  const room = Math.max(0, openFiles - spareFiles(openFiles));
  return room - Math.min(sharedConnections, Math.floor(room / 2));
}
