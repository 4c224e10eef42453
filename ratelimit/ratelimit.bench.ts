// npm run bench -- ratelimit: what one check costs, by strategy, on 10,000 keys in random order.
import { bench, do_not_optimize } from 'mitata';
import { createLimiter, strategyNames } from './strategies.ts';

const keys = 10_000;
const settings = { ratePerSecond: 100, burst: 100, windowMs: 1000 };
const order = Uint32Array.from({ length: 1 << 16 }, () => Math.floor(Math.random() * keys));
/** Half of what the limits allow. */
const msPerCheck = 1000 / (settings.ratePerSecond * 0.5 * keys);

for (const name of strategyNames) {
  const limiter = createLimiter(name, settings, keys);
  const blocked = createLimiter(name, settings, keys);
  for (let slot = 0; slot < keys; slot++) blocked.block(slot, 1e9, 0);
  let turn = 0;
  bench(`${name}, allowed`, () => {
    do_not_optimize(limiter.take(order[turn & 0xffff]!, 1, Math.floor(++turn * msPerCheck)));
  });
  bench(`${name}, refused`, () => {
    do_not_optimize(blocked.take(order[turn & 0xffff]!, 1, Math.floor(++turn * msPerCheck)));
  });
}
