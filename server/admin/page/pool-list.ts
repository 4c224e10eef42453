import type { PoolReport } from '../pools-control.ts';
import { PoolCard, type OnPoolAction } from './pool-card.ts';

/** The pools of the gateway, each in its place. */
export class PoolList {
  readonly #place: HTMLElement;
  readonly #onAction: OnPoolAction;
  readonly #cards = new Map<string, PoolCard>();

  constructor(place: HTMLElement, onAction: OnPoolAction) {
    this.#place = place;
    this.#onAction = onAction;
  }

  show(pools: readonly PoolReport[], at: number): void {
    for (const [name, card] of this.#cards) {
      if (pools.some((pool) => pool.name === name)) continue;
      card.destroy();
      this.#cards.delete(name);
    }
    for (const pool of pools) this.#cardOf(pool).show(pool, at);
  }

  redraw(): void {
    for (const card of this.#cards.values()) card.redraw();
  }

  #cardOf(pool: PoolReport): PoolCard {
    let card = this.#cards.get(pool.name);
    if (card === undefined) {
      this.#cards.set(pool.name, (card = new PoolCard(pool, this.#onAction)));
      this.#place.append(card.element);
    }
    return card;
  }
}
