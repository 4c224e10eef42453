import { itemsOf } from '../kind.ts';
import type { Kind } from '../kind.ts';
import type { World } from '../world.ts';

/** A market's stream: trades, best offers, order-book changes, candles; large messages are snapshots. */
export const ticks: Kind = {
  name: 'ticks',
  small: (world) => world.random.pick([trade, trade, best, depth, candle])(world),
  large: (world, bytes) => world.random.pick([snapshot, candles])(world, bytes * 0.97),
};

type Market = readonly [name: string, price: number];

/** A price within 0.2 % of the market's, with as many digits. */
function price(world: World, [, around]: Market): string {
  return (around * (1 + (world.random.next() - 0.5) / 250)).toFixed(around > 1_000 ? 2 : 4);
}

function amount(world: World): string {
  const { random } = world;
  return (random.next() * random.pick([0.05, 1, 40])).toFixed(5);
}

function offers(world: World, market: Market, count: number): string[][] {
  return Array.from({ length: count }, () => [price(world, market), amount(world)]).sort(byPrice);
}

function byPrice([a]: readonly string[], [b]: readonly string[]): number {
  return Number(a) - Number(b);
}

function trade(world: World): object {
  const { random } = world;
  const market = random.pick(world.words.markets);
  const at = world.nowMs();
  const data = {
    ...{ e: 'trade', E: at, s: market[0], t: random.whole(3_000_000_000, 3_900_000_000) },
    ...{
      p: price(world, market),
      q: amount(world),
      T: at - random.whole(1, 4),
      m: random.chance(0.5),
      M: true,
    },
  };
  return { stream: `${market[0].toLowerCase()}@trade`, data };
}

function best(world: World): object {
  const market = world.random.pick(world.words.markets);
  const data = {
    ...{ u: world.random.whole(40_000_000_000, 49_000_000_000), s: market[0] },
    ...{ b: price(world, market), B: amount(world), a: price(world, market), A: amount(world) },
  };
  return { stream: `${market[0].toLowerCase()}@bookTicker`, data };
}

function depth(world: World): object {
  const { random } = world;
  const market = random.pick(world.words.markets);
  const first = random.whole(40_000_000_000, 49_000_000_000);
  const data = {
    ...{ e: 'depthUpdate', E: world.nowMs(), s: market[0], U: first, u: first + random.whole(1, 60) },
    ...{ b: offers(world, market, random.whole(1, 5)), a: offers(world, market, random.whole(1, 5)) },
  };
  return { stream: `${market[0].toLowerCase()}@depth@100ms`, data };
}

function candle(world: World): object {
  const { random } = world;
  const market = random.pick(world.words.markets);
  const at = world.nowMs();
  const k = {
    ...{ t: at - (at % 60_000), T: at - (at % 60_000) + 59_999, s: market[0], i: '1m' },
    ...{ o: price(world, market), c: price(world, market), h: price(world, market), l: price(world, market) },
    ...{ v: amount(world), n: random.whole(3, 2_000), x: false, q: price(world, market) },
  };
  return { stream: `${market[0].toLowerCase()}@kline_1m`, data: { e: 'kline', E: at, s: market[0], k } };
}

function snapshot(world: World, bytes: number): object {
  const market = world.random.pick(world.words.markets);
  const side = (): string[][] => itemsOf(bytes / 2, () => offers(world, market, 1)[0]!).sort(byPrice);
  const lastUpdateId = world.random.whole(40_000_000_000, 49_000_000_000);
  return { symbol: market[0], lastUpdateId, bids: side(), asks: side() };
}

function candles(world: World, bytes: number): object {
  const market = world.random.pick(world.words.markets);
  let at = world.nowMs();
  at -= at % 60_000;
  const rows = itemsOf(bytes, () => [
    (at += 60_000),
    ...Array.from({ length: 4 }, () => price(world, market)),
    ...[amount(world), at + 59_999, amount(world), world.random.whole(3, 2_000)],
  ]);
  return { symbol: market[0], interval: '1m', candles: rows };
}
