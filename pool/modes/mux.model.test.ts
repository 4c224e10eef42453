import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { muxFrame } from '../mux/mux-frames.fixture.ts';
import { MuxWorld, type BackendStream, type ModelBackend } from './mux-world.fixture.ts';

const seed = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000_000);

const config = fc.record({
  maxStreamsPerConnection: fc.constantFrom(2, 5),
  idCeiling: fc.constantFrom(2 ** 31 - 1, 12),
  backendWindow: fc.constantFrom(1_024, 5_000),
});

type Step = readonly [kind: number, which: number, size: number];
const kinds = 18;
const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(fc.nat(kinds - 1), fc.nat(0xffff), fc.nat(0xffff)), {
  maxLength: 250,
  size: 'max',
});

const seen = new Map<string, number>();
const note = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1);

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

it(
  'loses, reorders and mixes up nothing, and leaves nothing behind, whatever clients and backends do',
  { timeout: 120_000 },
  () => {
    console.log(`seed of the model: ${seed} (set WSLUICE_TEST_SEED to repeat)`);
    fc.assert(
      fc.property(config, steps, (worldConfig, all) => {
        const world = new MuxWorld(worldConfig, (ms) => vi.advanceTimersByTime(ms));
        for (const step of all) {
          take(world, step);
          world.pass(0);
          // The server ends whoever was told to go, a little later.
          for (const client of world.clients) {
            if (client.state !== 'open' || client.closedWith === undefined) continue;
            note(client.endedAsSlow ? 'slow' : `closed with ${client.closedWith}`);
            world.leave(client, client.closedWith);
          }
        }
        world.settle();
      }),
      { seed, numRuns: 300, endOnFailure: true },
    );
    for (const what of [
      'slow',
      'closed with 1006',
      'closed with 4000',
      'late frame',
      'said',
      'heard of close',
    ]) {
      expect([...seen.keys()]).toContain(what);
    }
  },
);

function take(world: MuxWorld, [kind, which, size]: Step): void {
  const open = world.clients.filter(({ state }) => state === 'open');
  const client = open[which % open.length];
  const backends = world.open();
  const backend = backends[which % backends.length];
  const streams = [...(backend?.streams.values() ?? [])];
  const stream = streams[size % streams.length];
  switch (kind) {
    case 0:
    case 1:
      return world.arrive();
    case 2:
      return void world.dialer.pending[0]?.open();
    case 3:
    case 4:
      for (const { backend: at, stream: one } of waitingStreams(world)) at.accept(one);
      return;
    case 5: {
      const [first] = waitingStreams(world);
      if (first !== undefined && which % 3 === 0) first.backend.refuse(first.stream);
      return;
    }
    case 6:
    case 7:
      if (client !== undefined) note('said');
      return client && world.say(client, size % 900);
    case 8:
    case 9:
      if (backend === undefined || stream?.accepted !== true || stream.ended) return;
      return backend.say(stream, size % 1_900, 1 + (which % 700));
    case 10:
      if (client !== undefined) client.isSlow = true;
      return;
    case 11:
      return client && world.read(client);
    case 12:
      if (client === undefined || which % 3 > 0) return;
      note('heard of close');
      return world.leave(client, [1000, 1006, 1005][size % 3]!);
    case 13:
      if (stream?.accepted === true && !stream.ended) backend!.close(stream);
      return;
    case 14:
      if (stream?.accepted === true) backend!.grant(stream);
      return;
    case 15:
      if (which % 8 > 0 || backend === undefined) return;
      backend.isLost = true;
      return backend.connection.socket.close();
    case 16: {
      const id = backend?.over[which % backend.over.length];
      if (id === undefined) return;
      note('late frame');
      return backend!.send(muxFrame(0x10, id, 'late'), muxFrame(0x06, 0, 'ping'));
    }
    default:
      if (size % 5 === 0) return world.pass(size % 6_000);
      if (backend === undefined) return;
      if (backend.connection.socket.stalled) backend.connection.socket.unstall();
      else backend.connection.socket.stall();
  }
}

function waitingStreams(world: MuxWorld): { backend: ModelBackend; stream: BackendStream }[] {
  return world
    .open()
    .flatMap((backend) => [...backend.streams.values()].map((stream) => ({ backend, stream })))
    .filter(({ stream }) => !stream.accepted && !stream.ended);
}
