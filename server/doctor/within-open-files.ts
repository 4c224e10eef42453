import type { Config } from '../config/schema.ts';
import type { Log } from '../log.ts';
import { demandOf } from './demand.ts';
import { MachineFiles } from './machine-files.ts';
import { readOpenFiles } from './machine.ts';
import { clientsLetIn } from './open-files.ts';

/**
 * The configuration with no more `listen.maxConnections` than the limit on open files allows, and a line in the log when that is less.
 * Past that limit the engine would try to accept the next connection over and over, and nobody could reach the admin listener:
 * a client that gets 503 knows what to do.
 */
export function withinOpenFiles(config: Config, log: Pick<Log, 'warn'>, files = new MachineFiles()): Config {
  const openFiles = readOpenFiles(files);
  if (openFiles === undefined) return config;
  const { maxConnections } = config.listen;
  const clients = Math.max(1, clientsLetIn(openFiles, demandOf(config)));
  if (clients >= maxConnections) return config;
  log.warn(
    { maxConnections, openFiles, clients },
    'listen.maxConnections is more than the limit on open files allows: fewer clients are let in; see wsluice doctor',
  );
  return { ...config, listen: { ...config.listen, maxConnections: clients } };
}
