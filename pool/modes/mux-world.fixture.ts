import { Buffer } from 'node:buffer';
import { LeastConnections } from '../balancers/least-connections.ts';
import type { ClientSide, Lease } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { MuxFrameReader, type MuxFrameHandler } from '../mux/frame-reader.ts';
import { muxFrame, uint16, varint } from '../mux/mux-frames.fixture.ts';
import { noObserver } from '../observer.fixture.ts';
import { Turn } from '../turn.ts';
import { unlimited } from '../unlimited.fixture.ts';
import { frame } from '../wire/frames.fixture.ts';
import { Opcode } from '../wire/opcode.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import { MuxMode, type MuxLimits } from './mux.ts';

export type MuxWorldConfig = Pick<MuxLimits, 'maxStreamsPerConnection' | 'idCeiling'> & {
  readonly backendWindow: number;
};

export const worldMaxMessageBytes = 4_000;
const windowBytes = 2_048;

function check(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what);
}

/** One client: what it said, and what it was told, each with a number that counts up. */
export class ModelClient {
  readonly name: string;
  lease: Lease | undefined;
  state: 'waiting' | 'open' | 'gone' = 'waiting';
  giveUp: () => void = () => undefined;
  said = 0;
  /** How many messages it has got, and how many bytes of them it has not read. */
  got = 0;
  unread = 0;
  isSlow = false;
  closedWith: number | undefined;
  endedAsSlow = false;

  constructor(name: string) {
    this.name = name;
  }
}

/** One stream as the backend sees it. */
export interface BackendStream {
  readonly id: number;
  readonly client: ModelClient;
  accepted: boolean;
  ended: boolean;
  /** What the gateway may still send, and what this side may. */
  granted: number;
  credit: number;
  /** Number of the next message expected of the client, and of the next one for it. */
  nextHeard: number;
  nextSaid: number;
  parts: Buffer[];
}

/** The backend at the other end of one connection; it checks all that it hears. */
export class ModelBackend implements MuxFrameHandler {
  readonly connection: FakeConnection;
  readonly streams = new Map<number, BackendStream>();
  readonly over: number[] = [];
  lastId = 0;
  isLost = false;
  readonly #world: MuxWorld;
  readonly #reader = new MuxFrameReader({ handler: this, from: 'gateway' });

  constructor(connection: FakeConnection, world: MuxWorld) {
    this.connection = connection;
    this.#world = world;
    connection.onFrame = ({ opcode, payload }) => {
      if (opcode === Opcode.Close) this.isLost = true;
      if (opcode === Opcode.Binary) this.#reader.push(payload, 0, payload.length, true);
      check(opcode !== Opcode.Text, 'the gateway sent a text message');
    };
  }

  send(...frames: Buffer[]): void {
    if (!this.isLost) this.connection.feed(frame({ opcode: Opcode.Binary, payload: Buffer.concat(frames) }));
  }

  accept(stream: BackendStream): void {
    stream.accepted = true;
    stream.granted = this.#world.config.backendWindow;
    this.send(muxFrame(0x02, stream.id, varint(stream.granted)));
  }

  refuse(stream: BackendStream): void {
    this.#forget(stream);
    this.send(muxFrame(0x03, stream.id, uint16(403)));
  }

  /** Says the next message, in parts of this size, when the credit pays for all of it. */
  say(stream: BackendStream, bytes: number, partBytes: number): void {
    const body = Buffer.from(`${stream.client.name} ${stream.nextSaid} `.padEnd(bytes, '.'));
    const parts: Buffer[] = [];
    for (let at = 0; at < body.length; at += partBytes) parts.push(body.subarray(at, at + partBytes));
    const cost = body.length + parts.length * 16;
    if (cost > stream.credit) return;
    stream.credit -= cost;
    stream.nextSaid++;
    this.send(...parts.map((part, i) => muxFrame(i === parts.length - 1 ? 0x10 : 0x12, stream.id, part)));
  }

  close(stream: BackendStream): void {
    stream.ended = true;
    this.send(muxFrame(0x04, stream.id, uint16(4000)));
  }

  grant(stream: BackendStream): void {
    const credit = this.#world.config.backendWindow - stream.granted;
    if (credit === 0) return;
    stream.granted += credit;
    this.send(muxFrame(0x05, stream.id, varint(credit)));
  }

  onOpen(id: number, buf: Uint8Array, start: number, end: number): void {
    check(id > this.lastId, 'a stream id was used again');
    check(id <= this.#world.config.idCeiling, 'a stream id is above the ceiling');
    this.lastId = id;
    const { path, window } = JSON.parse(Buffer.from(buf.subarray(start, end)).toString()) as {
      path: string;
      window: number;
    };
    const client = this.#world.clients.find(({ name }) => path === `/${name}`);
    check(client !== undefined, 'an unknown client was announced');
    check(this.streams.size < this.#world.config.maxStreamsPerConnection, 'too many streams');
    const stream = { id, client, credit: window, granted: 0, nextHeard: 0, nextSaid: 0, parts: [] };
    this.streams.set(id, { ...stream, accepted: false, ended: false });
  }

  onData(id: number, buf: Uint8Array, start: number, end: number, _: boolean, isLast: boolean): void {
    const stream = this.streams.get(id);
    if (stream === undefined || stream.ended) return;
    check(stream.accepted, 'DATA before ACCEPT');
    stream.granted -= end - start + 16;
    check(stream.granted >= 0, 'DATA without credit');
    stream.parts.push(Buffer.from(buf.subarray(start, end)));
    if (!isLast) return;
    const text = Buffer.concat(stream.parts.splice(0)).toString();
    const expected = `${stream.client.name} ${stream.nextHeard} `;
    check(text.startsWith(expected), `heard "${text.slice(0, 30)}" in place of "${expected}"`);
    stream.nextHeard++;
  }

  onWindow(id: number, credit: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.credit += credit;
    check(stream.credit <= windowBytes, 'more was given back than was used');
  }

  onClose(id: number, code: number): void {
    const stream = this.streams.get(id);
    check(stream !== undefined, 'CLOSE on a stream that is over');
    if (!stream.ended) {
      const { client } = stream;
      const saidAll = client.closedWith !== 1000 || code !== 1000 || !stream.accepted;
      check(saidAll || stream.nextHeard === client.said, 'a client left, and not all it said arrived');
      this.send(muxFrame(0x04, id, uint16(code === 1006 ? 1000 : code)));
    }
    this.#forget(stream);
  }

  onPong(): void {
    this.#world.pongs++;
  }

  onPing(): void {
    throw new Error('the gateway pinged');
  }

  onBreach(problem: string): void {
    throw new Error(`the gateway breaks the protocol: ${problem}`);
  }

  onAccept(): void {
    throw new Error('unreachable');
  }

  onRefuse(): void {
    throw new Error('unreachable');
  }

  onGoAway(): void {
    throw new Error('unreachable');
  }

  #forget(stream: BackendStream): void {
    this.streams.delete(stream.id);
    this.over.push(stream.id);
  }
}

/** A pool in mux mode between model clients and model backends. */
export class MuxWorld {
  readonly config: MuxWorldConfig;
  readonly clients: ModelClient[] = [];
  readonly backends: ModelBackend[] = [];
  readonly mode: MuxMode;
  readonly dialer = new FakeDialer({ maxBufferedBytes: 1_500 });
  pongs = 0;
  readonly #advance: (ms: number) => void;

  constructor(config: MuxWorldConfig, advance: (ms: number) => void) {
    this.config = config;
    this.#advance = advance;
    const log = noLog;
    const balancer = new LeastConnections({ random: () => 0.5 });
    const shared = { balancer, log, now: () => Date.now(), random: () => 0.5 };
    const connector = new Connector({
      ...shared,
      pool: 'main',
      endpoints: [new Endpoint({ url: 'ws://10.0.0.1:1', trusted: true })],
      dialer: this.dialer,
      maxConnections: 3,
      reconnect: { baseDelayMs: 10, maxDelayMs: 10, factor: 1, jitter: false },
    });
    this.dialer.onConnection = (connection) => this.backends.push(new ModelBackend(connection, this));
    this.mode = new MuxMode({
      ...shared,
      connector,
      name: 'main',
      scaling: { scaleUpThreshold: 0.9, scaleDownThreshold: 0.1, scaleIntervalMs: 10_000, maxLifetimeMs: 0 },
      observer: noObserver,
      turn: new Turn({
        onError: (error) => {
          throw error as Error;
        },
      }),
      limits: {
        ...config,
        minConnections: 2,
        maxMessageBytes: worldMaxMessageBytes,
        maxBackpressureBytes: windowBytes,
        queue: { maxSize: 4, timeoutMs: 3_000 },
      },
    });
  }

  /** Lets everything that is due happen, then time pass. */
  pass(ms: number): void {
    this.#advance(1);
    this.#advance(1);
    if (ms > 0) this.#advance(ms);
  }

  arrive(): void {
    const client = new ModelClient(`c${this.clients.length}`);
    this.clients.push(client);
    client.giveUp = this.mode.acquire(
      { protocols: [], headers: [], query: '', client: { path: `/${client.name}`, address: '::1' } },
      {
        onSeat: (seat) => {
          client.state = 'open';
          client.lease = seat.attach(this.#sideOf(client));
        },
        onRefused: () => {
          check(client.state === 'waiting', 'a client was refused that was not waiting');
          client.state = 'gone';
        },
      },
    );
  }

  say(client: ModelClient, bytes: number): void {
    const text = `${client.name} ${client.said} `.padEnd(bytes, '.');
    if (client.lease!.send(Buffer.from(text), false)) client.said++;
    else this.leave(client, 1013);
  }

  read(client: ModelClient): void {
    client.isSlow = false;
    client.unread = 0;
    client.lease!.onClientRead!();
  }

  leave(client: ModelClient, code: number): void {
    if (client.state === 'waiting') client.giveUp();
    if (client.state === 'open') {
      client.closedWith ??= code;
      client.lease!.release(code, '');
    }
    client.state = 'gone';
  }

  open(): ModelBackend[] {
    return this.backends.filter(({ isLost }) => !isLost);
  }

  /** Everything comes to its end: nothing is left. */
  settle(): void {
    for (const client of this.clients) this.leave(client, 1000);
    for (let round = 0; round < 60; round++) {
      for (const { connection } of this.open()) connection.socket.unstall();
      this.pass(0);
      for (const backend of this.open()) {
        for (const stream of backend.streams.values()) {
          if (stream.accepted) backend.grant(stream);
          else backend.accept(stream);
        }
      }
    }
    check(this.mode.waiting === 0, 'clients wait that have left');
    check(this.mode.inFlight === 0, `${this.mode.inFlight} streams are left`);
    this.mode.close(1001, '');
    this.pass(5_000);
  }

  #sideOf(client: ModelClient): ClientSide {
    return {
      ...unlimited,
      deliver: (buf, start, end) => {
        const text = Buffer.from(buf.subarray(start, end)).toString();
        const expected = `${client.name} ${client.got} `;
        check(text.startsWith(expected), `got "${text.slice(0, 30)}" in place of "${expected}"`);
        check(client.state === 'open', 'something was delivered to a client that has left');
        client.got++;
        if (client.isSlow) client.unread += end - start;
        check(
          client.unread <= windowBytes + worldMaxMessageBytes,
          'more is unread than a window and a message',
        );
      },
      deliverSpliced: () => {
        throw new Error('unreachable');
      },
      send: () => {
        throw new Error('unreachable');
      },
      unreadBytes: () => client.unread,
      endSlowReader: () => {
        check(client.unread > 0, 'a client that reads was ended');
        client.endedAsSlow = true;
        client.closedWith = 1013;
      },
      onUpstreamClose: (code) => {
        client.closedWith ??= code;
      },
    };
  }
}
