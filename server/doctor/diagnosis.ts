import { demandOf, type CappedPool, type Demand } from './demand.ts';
import { fileLimits } from './file-limits.ts';
import { grouped, type Limit } from './limit.ts';
import type { Machine } from './machine.ts';
import { memoryLimits } from './memory-limits.ts';
import { networkLimits } from './network-limits.ts';
import type { Config } from '../config/schema.ts';

/** What a machine can hold of the clients that a configuration wants. */
export interface Diagnosis {
  readonly demand: Demand;
  readonly limits: readonly Limit[];
  /** Clients that the machine can hold; undefined where no limit could be read. */
  readonly holds: number | undefined;
  /** The limit that is reached first. */
  readonly first: Limit | undefined;
  readonly fits: boolean;
  /** What is no limit of the machine, but keeps clients from being served. */
  readonly advice: readonly string[];
}

/** Compares each limit of a machine with what a configuration takes. */
export function diagnose(machine: Machine, config: Config, heapLimitBytes: number): Diagnosis {
  const demand = demandOf(config);
  const limits = [
    ...fileLimits(machine, demand),
    ...networkLimits(machine, demand),
    ...memoryLimits({ machine, demand, heapLimitBytes }),
  ];
  const bounds = limits.filter(({ clients }) => clients !== undefined && clients !== Infinity);
  const first = bounds.reduce<Limit | undefined>(
    (least, limit) => (least === undefined || limit.clients! < least.clients! ? limit : least),
    undefined,
  );
  const holds = first?.clients;
  return {
    demand,
    limits,
    holds,
    first,
    fits: holds === undefined || holds >= demand.wanted,
    advice: demand.served >= demand.wanted ? [] : demand.cappedPools.map((pool) => poolAdvice(pool, demand)),
  };
}

function poolAdvice({ pool, clients, perConnection }: CappedPool, { wanted }: Demand): string {
  const needed = Math.ceil(wanted / perConnection);
  return (
    `pool ${pool} serves ${grouped(clients)} of ${grouped(wanted)} clients at a time, the others get 503: ` +
    `pools.${pool}.maxConnections: ${needed} serves them all`
  );
}
