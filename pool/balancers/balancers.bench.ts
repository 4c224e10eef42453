// npm run bench -- balancers: what one pick costs, by strategy and number of members.
import { bench, do_not_optimize } from 'mitata';
import type { Member } from './balancer.ts';
import { balancerNames, createBalancer, type BalancerName } from './create-balancer.ts';

class Connection implements Member {
  readonly latencyMs = 1 + Math.random() * 10;
  readonly #inFlight = 1 + Math.floor(Math.random() * 100);
  readonly #open: boolean;

  constructor(open: boolean) {
    this.#open = open;
  }

  get available(): boolean {
    return this.#open && this.#inFlight < 128;
  }

  get load(): number {
    return this.#inFlight;
  }
}

for (const name of balancerNames) {
  for (const size of [4, 16, 1000]) {
    measure(`${name}, ${size} members`, name, size, 0);
  }
  measure(`${name}, 1000 members, half unavailable`, name, 1000, 0.5);
  measure(`${name}, 1000 members, nine of ten unavailable`, name, 1000, 0.9);
}

/** The unavailable ones stand anywhere. */
function measure(title: string, name: BalancerName, size: number, unavailable: number): void {
  const members = Array.from(
    { length: size },
    (_, index) => new Connection(((index * 7919) % size) / size >= unavailable),
  );
  const balancer = createBalancer(name, { random: Math.random });
  bench(title, () => do_not_optimize(balancer.pick(members)));
}
