import type { ClientSide, Lease, Seat } from '../client-side.ts';

/** A place in a pool whose connections nobody owns. */
export class SharedSeat implements Seat {
  readonly protocol: string;
  readonly #lease: (client: ClientSide) => Lease;

  /** `lease` makes the client's lease when it is there. */
  constructor(protocol: string, lease: (client: ClientSide) => Lease) {
    this.protocol = protocol;
    this.#lease = lease;
  }

  attach(client: ClientSide): Lease {
    return this.#lease(client);
  }

  vacate(): void {
    // Nothing is held before the client is there.
  }
}
