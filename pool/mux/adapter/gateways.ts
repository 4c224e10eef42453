import type { GatewayConnection } from './gateway-connection.ts';

/** The connections from gateways that are open, and the timer that looks after them while there are any. */
export class Gateways {
  readonly #heartbeatMs: number;
  readonly #open = new Set<GatewayConnection>();
  #timer: NodeJS.Timeout | undefined;

  /** 0 for no looking. */
  constructor(heartbeatMs: number) {
    this.#heartbeatMs = heartbeatMs;
  }

  add(gateway: GatewayConnection): void {
    this.#open.add(gateway);
    if (this.#heartbeatMs === 0) return;
    this.#timer ??= setInterval(() => {
      for (const open of this.#open) open.checkLife();
    }, this.#heartbeatMs).unref();
  }

  remove(gateway: GatewayConnection): void {
    this.#open.delete(gateway);
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Asks all gateways for no more clients. */
  goAway(): void {
    for (const gateway of this.#open) gateway.goAway();
  }
}
