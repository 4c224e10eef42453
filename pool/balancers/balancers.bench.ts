// node pool/balancers/balancers.bench.ts: what one pick costs, by strategy and number of members.
import { bench, do_not_optimize, run } from 'mitata';
import type { Member } from './balancer.ts';
import { balancerNames, createBalancer } from './create-balancer.ts';

class Connection implements Member {
  #inFlight = 1 + Math.floor(Math.random() * 100);
  #open = true;

  get available(): boolean {
    return this.#open && this.#inFlight < 128;
  }

  get load(): number {
    return this.#inFlight;
  }
}

for (const name of balancerNames) {
  for (const size of [4, 16, 1000]) {
    const members = Array.from({ length: size }, () => new Connection());
    const balancer = createBalancer(name, { random: Math.random });
    bench(`${name}, ${size} members`, () => do_not_optimize(balancer.pick(members)));
  }
}

await run();
