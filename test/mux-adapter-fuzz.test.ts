import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { noise } from './support/codec-messages.ts';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import { mutateBytes } from './support/mutate-bytes.ts';
import { MUX, closeFrame, leb128, muxFrame, openFrame, parseMuxFrames } from './support/mux-frames.ts';
import { MuxGateway } from './support/mux-gateway.ts';
import type { MuxClient } from './support/mux-gateway.ts';
import { residentBytes } from './support/process-memory.ts';
import { seededRandom } from './support/random.ts';
import { onTearDown } from './support/tear-down.ts';

const SECONDS = Number(process.env['WSLUICE_FUZZ_SECONDS'] ?? 6);
const SEED = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000);
const WORKERS = 8;
const MIB = 1 << 20;

/** What the workers did, in numbers. */
interface Tally {
  connections: number;
  messages: number;
  breaches: number;
  readonly faults: string[];
}

it(
  'frames that are damaged at random harm nobody but their own connection',
  { timeout: (SECONDS + 60) * 1_000 },
  async () => {
    console.log(`fuzzing for ${SECONDS} s, seed ${SEED} (set WSLUICE_FUZZ_SECONDS, WSLUICE_TEST_SEED)`);
    const backend = await startFixture('mux-echo-server.mjs');
    const gateway = await MuxGateway.connect(backend.url);
    const controls = await Promise.all(Array.from({ length: 4 }, () => gateway.accepted()));
    const tally: Tally = { connections: 0, messages: 0, breaches: 0, faults: [] };
    const endsAtMs = performance.now() + SECONDS * 1_000;
    const goesOn = (): boolean => performance.now() < endsAtMs && tally.faults.length === 0;
    const memory: number[] = [];
    const watch = async (): Promise<void> => {
      while (goesOn()) {
        memory.push(residentBytes(backend.pid));
        await sleep(100);
      }
    };
    let echoes = 0;
    const control = async (client: MuxClient): Promise<void> => {
      for (let n = 0; goesOn(); n++) {
        const message = `${client.id} ${n}`;
        client.send(message);
        await eventually(() => expect(client.messages.shift()).toBe(message));
        echoes++;
      }
    };
    const work = async (n: number): Promise<void> => {
      const random = seededRandom(SEED * 1_000 + n);
      while (goesOn()) await fuzzConnection(backend.url, random, tally);
    };
    await Promise.all([
      watch(),
      ...controls.map(control),
      ...Array.from({ length: WORKERS }, (_, n) => work(n)),
    ]);

    console.log(`fuzzed: ${JSON.stringify({ ...tally, echoes })}`);
    expect(tally.faults).toEqual([]);
    expect(backend.hasExited(), backend.output().slice(-2_000)).toBe(false);
    expect(tally.breaches).toBeGreaterThan(SECONDS);
    expect(echoes).toBeGreaterThan(SECONDS);
    const third = Math.ceil(memory.length / 3);
    const grownBytes = median(memory.slice(-third)) - Math.max(...memory.slice(0, third));
    expect(grownBytes, 'bytes of memory, after the first third').toBeLessThan(64 * MIB);
    await eventually(async () => {
      controls[0]!.send('clients');
      await eventually(() => expect(controls[0]!.messages.pop()).toBe(String(controls.length)), 200);
    });
  },
);

/** One connection, until a message ends it or it has said enough. What the backend says is checked to the last frame. */
async function fuzzConnection(url: string, random: () => number, tally: Tally): Promise<void> {
  const socket = new WebSocket(url, 'wsluice.mux.v1');
  onTearDown(() => socket.terminate());
  const closed = once(socket, 'close') as Promise<[number]>;
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer, isBinary) => {
    try {
      if (!isBinary) throw new Error('a text message');
      parseMuxFrames(data);
    } catch (error) {
      tally.faults.push(String(error));
    }
  });
  await once(socket, 'open');
  tally.connections++;
  let last = sessionFrames(random, 1);
  for (let n = 0; n < 30 && socket.readyState === WebSocket.OPEN; n++) {
    const frames = sessionFrames(random, n * 3 + 1);
    // Most messages are good, so that the damaged ones find streams that are open.
    const message =
      random() < 0.85
        ? frames
        : random() < 0.2
          ? noise(random() * 64, random)
          : mutateBytes(frames, last, random);
    last = frames;
    socket.send(message, { binary: random() < 0.999 });
    tally.messages++;
    if (n % 5 === 0) await new Promise(setImmediate);
  }
  if (random() < 0.5) socket.terminate();
  else socket.close();
  const [code] = await closed;
  if (code === 1002) tally.breaches++;
  else if (![1005, 1006, 1009].includes(code)) tally.faults.push(`closed with ${code}`);
}

/** Some frames that a gateway could send, of three streams that open with `first`. */
function sessionFrames(random: () => number, first: number): Buffer {
  const frames = [openFrame(first), openFrame(first + 1, { window: 1_024 }), openFrame(first + 2)];
  const kinds: readonly ((stream: number) => Buffer)[] = [
    (stream) => muxFrame(MUX.text, stream, 'text é'),
    (stream) => muxFrame(MUX.binary, stream, noise(random() * 300, random)),
    (stream) => Buffer.concat([muxFrame(MUX.textPart, stream, 'a'), muxFrame(MUX.text, stream, 'b')]),
    (stream) => muxFrame(MUX.binaryPart, stream, noise(random() * 3_000, random)),
    (stream) => muxFrame(MUX.window, stream, leb128(1 + Math.floor(random() * 5_000))),
    (stream) => muxFrame(MUX.ping, stream, 'ping'),
    (stream) => muxFrame(MUX.pong, stream, 'pong'),
    (stream) => closeFrame(stream, 1000, 'bye'),
    (stream) => closeFrame(stream, 1006),
    () => muxFrame(MUX.ping, 0),
    () => muxFrame(0x80 + Math.floor(random() * 128), 0, noise(random() * 20, random)),
  ];
  for (let n = Math.floor(random() * 6); n > 0; n--) {
    const kind = kinds[Math.floor(random() * kinds.length)]!;
    frames.push(kind(1 + Math.floor(random() * (first + 2))));
  }
  return Buffer.concat(frames);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}
