import type { Demand } from './demand.ts';
import { grouped, isEndless, sysctlPlace, type Limit } from './limit.ts';
import type { Machine } from './machine.ts';
import { clientsByFiles, filesFor, spareFiles } from './open-files.ts';

/** Open files: of the process, the most that can be set for one, and of all together. */
export function fileLimits(machine: Machine, demand: Demand): Limit[] {
  return [openFiles(machine, demand), nrOpen(machine, demand), fileMax(machine, demand)];
}

function openFiles({ openFiles: value }: Machine, demand: Demand): Limit {
  const clients = value === undefined ? undefined : clientsByFiles(value, demand);
  const needed = filesFor(demand.wanted, demand);
  return {
    name: 'nofile',
    key: 'ulimit -n',
    what: 'open files of the process',
    value,
    shown: value === undefined ? 'unknown' : grouped(value),
    clients,
    note:
      value === undefined
        ? ''
        : `${grouped(demand.filesPerClient)} for each client, ${kept(value, demand)} kept for others`,
    changes:
      clients === undefined || clients >= demand.wanted
        ? []
        : [
            {
              line: `ulimit -n ${needed}`,
              where: 'in the shell that starts the gateway; above its hard limit, as root',
            },
            {
              line: `LimitNOFILE=${needed}`,
              where: 'in its systemd unit (systemctl edit wsluice@): systemd reads no limits.conf',
            },
          ],
  };
}

function kept(openFilesOfProcess: number, { sharedConnections }: Demand): string {
  const spare = spareFiles(openFilesOfProcess);
  return sharedConnections === 0
    ? grouped(spare)
    : `${grouped(spare)} and up to ${grouped(sharedConnections)} upstream connections`;
}

function nrOpen({ nrOpen: value }: Machine, demand: Demand): Limit {
  const clients = value === undefined ? undefined : clientsByFiles(value, demand);
  return {
    name: 'nr_open',
    key: 'fs.nr_open',
    what: 'the most that ulimit -n takes',
    value,
    shown: value === undefined ? 'unknown' : grouped(value),
    clients,
    note: '',
    changes:
      clients === undefined || clients >= demand.wanted
        ? []
        : [{ line: `sysctl -w fs.nr_open=${filesFor(demand.wanted, demand)}`, where: sysctlPlace }],
  };
}

function fileMax({ fileMax: value, filesOfOthers = 0 }: Machine, demand: Demand): Limit {
  const others = filesOfOthers + 100 + demand.sharedConnections;
  const clients = value && clientsOf(value - others, demand);
  const needed = Math.ceil((others + demand.wanted * demand.filesPerClient) / 1_024) * 1_024;
  return {
    name: 'file-max',
    key: 'fs.file-max',
    what: 'open files of all processes',
    value,
    shown: value === undefined ? 'unknown' : grouped(value),
    clients,
    note: `others have ${grouped(filesOfOthers)}`,
    changes:
      clients === undefined || clients >= demand.wanted
        ? []
        : [{ line: `sysctl -w fs.file-max=${needed}`, where: sysctlPlace }],
  };
}

function clientsOf(files: number, { filesPerClient }: Demand): number {
  return isEndless(files) ? Infinity : Math.max(0, Math.floor(files / filesPerClient));
}
