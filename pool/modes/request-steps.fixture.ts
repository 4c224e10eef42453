import type { World } from './request-world.fixture.ts';

/** One random step: a number that chooses the kind, two for its details. */
export type Step = readonly [kind: number, first: number, second: number];

type Act = (world: World, first: number, second: number) => void;

const weighted: readonly (readonly [weight: number, what: string, act: Act])[] = [
  [5, 'connect', (world) => world.connect()],
  [3, 'leave', (world, first) => world.leave(world.present(first))],
  [1, 'refuse', (world, first) => world.refuse(first % 4 === 0 ? world.present(first >> 2) : undefined)],
  [30, 'request', (world, first, second) => world.send(world.present(first), second, false)],
  [4, 'notification', (world, first, second) => world.send(world.present(first), second, true)],
  [5, 'batch', (world, first, second) => world.sendBatch(world.present(first), second)],
  [3, 'wrong', (world, first, second) => world.sendWrong(world.present(first), second)],
  [30, 'reply', (world, first, second) => world.reply(first, second)],
  [2, 'reply again', (world, first, second) => world.replyAgain(first, second)],
  [3, 'reply unknown', (world, first, second) => world.replyUnknown(first, second)],
  [2, 'unasked', (world, first, second) => world.sayUnasked(first, second)],
  [2, 'malformed', (world, first, second) => world.sayMalformed(first, second)],
  [3, 'kill', (world, first, second) => world.kill(first, second)],
  [1, 'storm', (world, first) => world.storm(first)],
  [4, 'stall', (world, first) => world.stall(first)],
  [4, 'resume', (world, first) => world.resume(first)],
  [1, 'endpoint', (world, first) => world.turnEndpoint(first, first % 3 === 0)],
  [12, 'dial', (world, first) => world.settleDial(first)],
  [15, 'work', (world, first) => world.work(first)],
  [8, 'turn', (world) => world.turn()],
  [8, 'tick', (world, first) => world.tick(first % 150)],
  [1, 'long tick', (world, first) => world.tick(500 + (first % 1_000))],
];

const steps = weighted.flatMap(([weight, what, act]) =>
  new Array<readonly [string, Act]>(weight).fill([what, act]),
);

/** How many kinds of step there are, counted by their weight. */
export const stepKinds = steps.length;

/** Takes a step: does it, mostly lets the event loop's turn end, and checks. */
export function takeStep(world: World, [kind, first, second]: Step): void {
  const [what, act] = steps[kind % steps.length]!;
  world.trace.push(`${what} ${first} ${second}`);
  act(world, first, second);
  if ((second & 3) !== 0) world.turn();
  world.check();
}
