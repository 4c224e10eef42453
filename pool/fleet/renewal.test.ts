import { describe, expect, it } from 'vitest';
import { Renewal } from './renewal.ts';

class Connection {
  draining = false;
  load: number;
  constructor(load = 0) {
    this.load = load;
  }
}

/** Connections under a cap; dials end when a test says so. */
class World {
  readonly connections: Connection[];
  readonly dials: ((opened: boolean) => void)[] = [];
  readonly retired: Connection[] = [];
  mayDial = true;
  readonly #cap: number;
  readonly renewal = new Renewal<Connection>({
    room: () => this.#cap - this.connections.length - this.dials.length,
    dial: (onEnded) => {
      if (this.mayDial) this.dials.push(onEnded);
      return this.mayDial;
    },
    retire: (connection) => {
      connection.draining = true;
      this.retired.push(connection);
      if (connection.load === 0) this.close(connection);
    },
  });

  constructor(loads: readonly number[], cap: number) {
    this.connections = loads.map((load) => new Connection(load));
    this.#cap = cap;
  }

  open(): void {
    const dial = this.dials.shift()!;
    this.connections.push(new Connection());
    dial(true);
  }

  close(connection: Connection): void {
    this.connections.splice(this.connections.indexOf(connection), 1);
    this.renewal.forget(connection);
  }
}

describe('a renewal', () => {
  it('retires an old connection for each new one, and none before', () => {
    const world = new World([0, 0, 0], 10);
    const old = [...world.connections];
    world.renewal.begin(world.connections);
    expect([world.dials.length, world.retired, world.renewal.size]).toEqual([3, [], 3]);
    world.open();
    expect([world.retired.length, world.renewal.size]).toEqual([1, 2]);
    world.open();
    world.open();
    expect([new Set(world.retired), world.renewal.size, world.dials]).toEqual([new Set(old), 0, []]);
    expect(world.connections).toHaveLength(3);
  });

  it('retires those first that have the least to finish', () => {
    const world = new World([5, 1, 3], 10);
    const [five, one, three] = world.connections;
    world.renewal.begin(world.connections);
    for (let n = 0; n < 3; n++) world.open();
    expect(world.retired).toEqual([one, three, five]);
  });

  it('lets one go first where there may be none more, and the next one when that is replaced', () => {
    const world = new World([0, 1], 2);
    const [idle, busy] = world.connections as [Connection, Connection];
    world.renewal.begin(world.connections);
    expect([world.retired, world.dials.length]).toEqual([[idle], 1]);
    world.renewal.step();
    expect(world.retired).toEqual([idle]);
    world.open();
    expect(world.retired).toEqual([idle, busy]);
    world.close(busy);
    world.open();
    expect([world.renewal.size, world.dials.length, world.connections.length]).toEqual([0, 0, 2]);
  });

  it('waits for the one that goes first to be empty', () => {
    const world = new World([1, 1], 2);
    world.renewal.begin(world.connections);
    world.renewal.step();
    const [leaving] = world.retired as [Connection];
    expect([world.retired.length, world.dials.length]).toEqual([1, 0]);
    world.close(leaving);
    expect(world.dials).toHaveLength(1);
  });

  it('keeps the old ones while nothing can be dialled or dials fail, and goes on later', () => {
    const world = new World([0, 0], 10);
    world.mayDial = false;
    world.renewal.begin(world.connections);
    world.mayDial = true;
    world.renewal.step();
    for (const fail of world.dials.splice(0)) fail(false);
    expect([world.retired, world.dials, world.renewal.size]).toEqual([[], [], 2]);
    world.renewal.step();
    world.open();
    expect(world.retired).toHaveLength(1);
  });

  it('does not dial for a connection that is gone by itself, nor retire one twice', () => {
    const world = new World([0, 0], 10);
    const [first, second] = world.connections as [Connection, Connection];
    world.renewal.begin([first]);
    world.renewal.begin([first, second]);
    world.close(first);
    world.close(second);
    world.open();
    world.open();
    expect([world.retired, world.renewal.size, world.dials]).toEqual([[], 0, []]);
  });

  it('dials a few at a time', () => {
    const world = new World(new Array<number>(100).fill(0), 1_000);
    world.renewal.begin(world.connections);
    expect(world.dials).toHaveLength(8);
    while (world.dials.length > 0) world.open();
    expect([world.retired.length, world.renewal.size, world.connections.length]).toEqual([100, 0, 100]);
  });
});
