import type { Balancer } from './balancer.ts';
import { LeastConnections } from './least-connections.ts';
import { PeakEwma } from './peak-ewma.ts';
import { Random } from './random.ts';
import { RoundRobin } from './round-robin.ts';

/** Every strategy by its name in the config. */
export const balancerNames = ['random', 'round-robin', 'least-connections', 'peak-ewma'] as const;

export type BalancerName = (typeof balancerNames)[number];

/** A balancer of its own for one pool; `random` returns numbers from 0 up to but not including 1. */
export function createBalancer(name: BalancerName, { random }: { random: () => number }): Balancer {
  switch (name) {
    case 'random':
      return new Random({ random });
    case 'round-robin':
      return new RoundRobin();
    case 'least-connections':
      return new LeastConnections({ random });
    case 'peak-ewma':
      return new PeakEwma({ random });
  }
}
