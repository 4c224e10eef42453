import { Priority } from '../waiting/priority.ts';
import { unlimited } from '../unlimited.fixture.ts';
import { createBalancer, type BalancerName } from '../balancers/create-balancer.ts';
import type { ClientSide } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { noObserver } from '../observer.fixture.ts';
import { openCoded, pack, ToyUpstreamCodec, undecodable, unpack } from '../toy-upstream-codec.fixture.ts';
import type { ScalingOptions } from '../fleet/upkeep.ts';
import type { Upstream, UpstreamConnection } from '../upstream.ts';
import { frame } from '../wire/frames.fixture.ts';
import { Opcode } from '../wire/opcode.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import { Entry, ModelClient, type ModelConnection } from './request-entries.fixture.ts';
import { modelRandom, RequestModel } from './request-model.fixture.ts';
import {
  garbage,
  ids,
  invalid,
  invalidElements,
  largeBytes,
  pick,
  replyText,
  requestText,
} from './request-texts.fixture.ts';
import { RequestMode, type RequestLimits } from './request.ts';

export interface WorldConfig {
  readonly limits: RequestLimits;
  readonly scaling: ScalingOptions;
  readonly endpoints: number;
  readonly maxConnections: number;
  readonly maxBufferedBytes: number;
  readonly maxClients: number;
  readonly balance: BalancerName;
  /** Messages are packed on the way, some of them in a thread pool that takes its time. */
  readonly coded: boolean;
  /** What may wait for that pool, each way of each connection. */
  readonly maxWaiting: number;
}

/** One connection as the back end knows it. */
interface Backend {
  readonly connection: FakeConnection;
  /** The same as the pool sees it. */
  readonly upstream: UpstreamConnection;
  /** What it got and has not answered. */
  readonly unanswered: { readonly wireId: number; readonly entry: Entry }[];
  readonly answered: number[];
  /** What each message is about that it sent and the pool did not get, oldest first: makes the model expect it. */
  readonly said: ((deliver: () => void) => void)[];
}

const priorities = [Priority.medium, Priority.low, Priority.high];

/** Details that make a request's method idempotent, and how far they are apart. */
const idempotent = 4 << 3;
const methodCycle = 7 << 3;

/** The real request mode between clients, back ends and a network that are all in the hands of a test. Needs fake timers. */
export class World {
  readonly model: RequestModel;
  readonly mode: RequestMode;
  readonly trace: string[] = [];
  readonly #dialer: FakeDialer;
  readonly #codec: ToyUpstreamCodec;
  readonly #connector: Connector;
  readonly #config: WorldConfig;
  readonly #backends: Backend[] = [];
  readonly #failing = new Map<Endpoint, boolean>();
  readonly #refusing = new Set<Endpoint>();
  readonly #now = (): number => Date.now();
  readonly #advance: (ms: number) => void;
  #tokens = 0;
  #silent = false;

  /** `advance` moves the fake clock and runs what is due. */
  constructor(config: WorldConfig, advance: (ms: number) => void) {
    this.#config = config;
    this.#advance = advance;
    const log = noLog;
    const observer = noObserver;
    const random = (): number => modelRandom;
    const { maxBufferedBytes, maxWaiting } = config;
    // Any bytes that differ between messages will do.
    const isSlow = (plain: Uint8Array): boolean => plain.reduce((sum, byte) => sum + byte, 0) % 4 === 0;
    this.#codec = new ToyUpstreamCodec({ isSlow, maxWaiting });
    const wrap = (wire: Upstream): UpstreamConnection =>
      config.coded ? openCoded(wire, this.#codec).upstream : wire;
    this.#dialer = new FakeDialer({ maxBufferedBytes, wrap });
    this.#connector = new Connector({
      pool: 'main',
      endpoints: Array.from(
        { length: config.endpoints },
        // One that is trusted gets unmasked frames, the other masked ones.
        (_, index) => new Endpoint({ url: `ws://10.0.0.${index + 1}:9001`, trusted: index === 0 }),
      ),
      dialer: this.#dialer,
      balancer: createBalancer(config.balance, { random }),
      maxConnections: config.maxConnections,
      reconnect: { baseDelayMs: 100, maxDelayMs: 400, factor: 2, jitter: false },
      now: this.#now,
      random,
      log,
    });
    this.mode = new RequestMode({
      connector: this.#connector,
      balancer: createBalancer(config.balance, { random }),
      limits: config.limits,
      scaling: config.scaling,
      now: this.#now,
      random,
      observer,
      log,
      name: 'main',
    });
    this.model = new RequestModel(this.mode, this.#now);
  }

  check(): void {
    this.#checkConnector();
    if (this.mode.channels.some(({ upstream }) => upstream.congested)) this.model.tally('congested');
  }

  /** Everything gets its chance to end: endpoints are up, sockets flow, back ends answer or are silent. */
  settle(isSilent: boolean): void {
    this.#silent = isSilent;
    this.#refusing.clear();
    const { requestTimeoutMs, queue } = this.#config.limits;
    for (const { connection } of this.#backends) this.#happen(() => connection.socket.unstall());
    for (let ms = 0; ms <= requestTimeoutMs + queue.timeoutMs + 1_000; ms += 100) {
      this.tick(100);
      while (this.#codec.opened.some(({ waiting }) => waiting > 0)) this.work(0);
      while (this.#dialer.pending.length > 0) this.settleDial(0);
      if (!this.#silent) for (let n = 0; n < 8; n++) this.reply(n, n);
    }
    this.model.checkSettled();
    for (const client of this.#present) this.leave(client);
    this.mode.close(1001, '');
    this.#advance(5_000);
  }

  connect(): void {
    if (this.#present.length >= this.#config.maxClients) return;
    const client = new ModelClient(this.model.clients.length);
    client.lease = this.mode.lease(this.#sideOf(client), pick(priorities, client.number));
    this.model.clients.push(client);
  }

  leave(client: ModelClient | undefined): void {
    if (client === undefined) return;
    this.#happen(() => {
      this.model.onClientLeft(client);
      client.lease.release();
    });
  }

  refuse(client: ModelClient | undefined): void {
    if (client === undefined) return;
    client.refused = true;
    client.lease.refuseNew();
  }

  send(client: ModelClient | undefined, details: number, isNotification: boolean): void {
    if (client === undefined) return;
    const { entry, text } = this.#compose(client, details, isNotification, false);
    this.model.during({ kind: 'send', entry }, () => this.#give(client, text, (details & 64) !== 0));
  }

  sendBatch(client: ModelClient | undefined, details: number): void {
    if (client === undefined) return;
    const batch: (Entry | undefined)[] = [];
    const texts: string[] = [];
    for (let n = 0; n <= details % 5; n++) {
      const one = details * 31 + n * 17;
      if (one % 7 === 3) {
        batch.push(undefined);
        texts.push(pick(invalidElements, one)!);
      } else {
        const { entry, text } = this.#compose(client, one, one % 5 === 2, true);
        batch.push(entry);
        texts.push(text);
      }
    }
    const text = `[${texts.join(details % 2 === 0 ? ',' : ' , ')}]`;
    this.model.during({ kind: 'batch', client, batch }, () => this.#give(client, text, false));
  }

  sendWrong(client: ModelClient | undefined, details: number): void {
    if (client === undefined) return;
    const isGarbage = details % 2 === 0;
    const text = pick(isGarbage ? garbage : invalid, details >> 1)!;
    const operation = { kind: 'refused', client, code: isGarbage ? -32700 : -32600 } as const;
    this.model.during(operation, () => this.#give(client, text, false));
  }

  /** A back end answers some request that it got, on time or late. */
  reply(which: number, details: number): void {
    const backend = pick(
      this.#live.filter(({ unanswered }) => unanswered.length > 0),
      which,
    );
    if (backend === undefined) return;
    const [{ wireId, entry }] = backend.unanswered.splice((which >> 3) % backend.unanswered.length, 1) as [
      Backend['unanswered'][0],
    ];
    backend.answered.push(wireId);
    this.#transmit(backend, replyText(details, String(wireId), entry.token), details, (deliver) => {
      // What happened before may have freed its slot.
      this.#happen(() => undefined);
      const isTaken = this.#modelOf(backend)?.taken.get(wireId) === entry;
      this.model.during({ kind: 'reply', entry: isTaken ? entry : undefined }, () => {
        if (isTaken) this.model.onBackendReply(entry);
        else this.model.dropped.unknownId++;
        deliver();
      });
    });
  }

  replyAgain(which: number, details: number): void {
    const backend = pick(
      this.#live.filter(({ answered }) => answered.length > 0),
      which,
    );
    if (backend === undefined) return;
    this.#sayUnknown(backend, String(pick(backend.answered, details)), details);
  }

  replyUnknown(which: number, details: number): void {
    const backend = pick(this.#live, which);
    if (backend === undefined) return;
    const { lastWireId = 0, taken } = this.#modelOf(backend) ?? {};
    const slots = this.#config.limits.maxInFlightPerConnection;
    const near = [...(taken?.keys() ?? [])].flatMap((id) => [id + slots, id - slots, id + 1, id - 1]);
    // When this arrives late, an id of the future may have been given away.
    const isFuture = (id: number): boolean => this.#config.coded && id > lastWireId && id < 2 ** 40;
    const free = [...near, 0, 1, lastWireId + slots, 2 ** 40].filter(
      (id) => id >= 0 && taken?.has(id) !== true && !isFuture(id),
    );
    const forms = [...free.map(String), ...[...(taken?.keys() ?? [])].flatMap((id) => [`"${id}"`, `-${id}`])];
    this.#sayUnknown(backend, pick(forms, details)!, details);
  }

  /** The back end says something on its own account, with an id that looks like one of ours. */
  sayUnasked(which: number, details: number): void {
    const backend = pick(this.#live, which);
    if (backend === undefined) return;
    const id = backend.unanswered[0]?.wireId ?? 1;
    const text = pick(
      [
        '{"jsonrpc":"2.0","method":"tick","params":{"token":"#x#"}}',
        `{"jsonrpc":"2.0","id":${id},"method":"ask","params":{"token":"#x#"}}`,
        `{"id":${id},"method":"ask","jsonrpc":"2.0"}`,
      ],
      details,
    )!;
    this.#sayStray(backend, 'unowned', text, details);
  }

  sayMalformed(which: number, details: number): void {
    const backend = pick(this.#live, which);
    if (backend === undefined) return;
    const id = backend.unanswered[0]?.wireId ?? 1;
    const text = pick(
      [
        `{"id":${id}`,
        `${id}`,
        `[{"jsonrpc":"2.0","id":${id},"result":"#x#"}]`,
        'null',
        '',
        `{"jsonrpc":"2.0","id":${id}}`,
      ],
      details,
    )!;
    this.#sayStray(backend, 'malformed', text, details);
  }

  kill(which: number, details: number): void {
    const backend = pick(this.#live, which);
    if (backend === undefined) return;
    const { connection } = backend;
    const { socket, upstream } = connection;
    if (details % 4 === 3) this.#happen(() => socket.breakDown());
    this.#happen(() => {
      if (details % 4 === 0) connection.feed(this.#lastWords(details));
      else if (details % 4 === 1) connection.feed(frame({ opcode: Opcode.Text, reserved: 0x40 }));
      else if (details % 4 === 2) upstream.onHeartbeatLost();
      else socket.close();
    });
    const isUnknown = this.mode.channels.some((channel) => channel.upstream === backend.upstream);
    if (isUnknown) this.model.tally('lost before the pool knows');
  }

  /** The thread pool gets a message done. */
  work(which: number): void {
    const toy = pick(
      this.#codec.opened.filter(({ waiting }) => waiting > 0),
      which,
    );
    if (toy === undefined) return;
    const packs = toy.encoding && (which % 2 === 0 || !toy.decoding);
    this.model.tally(packs ? 'packed late' : 'unpacked late');
    this.#happen(() => (packs ? toy.workOnEncoding() : toy.workOnDecoding()));
  }

  /** Connection after connection is lost right after it was sent something that may be retried. */
  storm(which: number): void {
    for (let n = 0; n < 12; n++) {
      // Past the back-off.
      this.tick(400);
      this.settleDial(0);
      this.send(this.present(which), idempotent + n * methodCycle, false);
      this.turn();
      this.kill(which + n, which);
    }
  }

  stall(which: number): void {
    pick(this.#live, which)?.connection.socket.stall();
  }

  resume(which: number): void {
    const backend = pick(
      this.#backends.filter(({ connection }) => connection.socket.stalled),
      which,
    );
    if (backend !== undefined) this.#happen(() => backend.connection.socket.unstall());
  }

  /** An endpoint comes back, or goes when asked to. */
  turnEndpoint(which: number, goes: boolean): void {
    const endpoint = pick(this.#connector.endpoints, which)!;
    if (!this.#refusing.delete(endpoint) && goes) this.#refusing.add(endpoint);
  }

  settleDial(which: number): void {
    const dial = pick(this.#dialer.pending, which);
    if (dial === undefined) return;
    const isRefused = this.#refusing.has(dial.endpoint);
    this.#failing.set(dial.endpoint, isRefused);
    this.model.allFailing = this.#connector.endpoints.every(
      (endpoint) => this.#failing.get(endpoint) === true,
    );
    this.#happen(() => {
      if (isRefused) dial.fail();
      else this.#watch(dial);
    });
  }

  turn(): void {
    this.tick(0);
  }

  tick(ms: number): void {
    this.#happen(() => this.#advance(ms));
  }

  #happen(act: () => void): void {
    this.model.during({ kind: 'other' }, act);
  }

  get #present(): ModelClient[] {
    return this.model.clients.filter(({ left }) => !left);
  }

  present(which: number): ModelClient | undefined {
    return pick(this.#present, which);
  }

  /** Back ends whose connection the pool still uses. */
  get #live(): Backend[] {
    return this.#backends.filter(({ connection }) => connection.upstream.usable);
  }

  #modelOf({ upstream }: Backend): ModelConnection | undefined {
    return this.model.connections.get(upstream);
  }

  #compose(
    client: ModelClient,
    details: number,
    isNotification: boolean,
    isElement: boolean,
  ): { entry: Entry; text: string } {
    const id = isNotification ? '' : pick(ids, details)!;
    const method = pick(
      ['plain', 'plain', 'plain', 'plain', 'idempotent', 'idempotent', 'stateful'] as const,
      details >> 3,
    )!;
    const token = `#${this.#tokens++}#`;
    const padding = details % 61 === 7 ? 'x'.repeat(largeBytes) : '';
    const params = `{"token":"${token}","id":77,"padding":"${padding}"}`;
    const spelt = method === 'stateful' && details % 2 === 0 ? 'state\\u0066ul' : method;
    const text = requestText(details >> 2, spelt, params, id);
    const entry = new Entry({
      client,
      sequence: client.sent++,
      token,
      id: isNotification ? '' : JSON.stringify(JSON.parse(id)),
      text,
      method,
      // An element of a batch is taken without the space around it.
      size: Buffer.byteLength(isElement ? text.join(id).trim() : text.join(id)),
    });
    return { entry, text: text.join(id) };
  }

  /** The bytes stand in the middle of a buffer that is overwritten afterwards, like the engine's. */
  #give(client: ModelClient, text: string, isBinary: boolean): void {
    const length = Buffer.byteLength(text);
    const network = Buffer.alloc(length + 20, '"');
    network.write(text, 10);
    client.lease.send(new Uint8Array(network.buffer, network.byteOffset + 10, length), isBinary);
    network.fill('!');
  }

  #sayUnknown(backend: Backend, id: string, details: number): void {
    this.#sayStray(backend, 'unknownId', replyText(details, id, '#x#'), details);
  }

  /** The back end sends what is for nobody. */
  #sayStray(backend: Backend, kind: keyof RequestModel['dropped'], text: string, details: number): void {
    this.#transmit(backend, text, details, (deliver) => {
      this.model.during({ kind: 'reply', entry: undefined }, () => {
        this.model.dropped[kind]++;
        deliver();
      });
    });
  }

  /** Whole, in two fragments with a ping between, or in two chunks; text or binary, packed or plain. */
  #transmit(backend: Backend, text: string, details: number, expect: Backend['said'][0]): void {
    const { connection, said } = backend;
    said.push(expect);
    const isBinary = details % 5 === 2;
    const isPacked = this.#config.coded && (isBinary || details % 3 > 0);
    const payload = isPacked ? pack(text, isBinary) : Buffer.from(text);
    const opcode = isBinary || isPacked ? Opcode.Binary : Opcode.Text;
    const half = payload.length >> 1;
    const whole = frame({ opcode, payload });
    const parts = [whole];
    if (details % 5 === 0) {
      parts[0] = frame({ opcode, payload: payload.subarray(0, half), isLast: false });
      parts.push(frame({ opcode: Opcode.Ping, payload: 'hi' }));
      parts.push(frame({ opcode: Opcode.Continuation, payload: payload.subarray(half) }));
    } else if (details % 5 === 1) {
      parts.splice(0, 1, whole.subarray(0, half), whole.subarray(half));
    }
    this.#happen(() => parts.forEach((part) => connection.feed(part)));
  }

  /** A close frame, or something that cannot be unpacked. */
  #lastWords(details: number): Buffer {
    const isGarbage = this.#config.coded && details % 8 === 0;
    return isGarbage
      ? frame({ opcode: Opcode.Binary, payload: undecodable })
      : frame({ opcode: Opcode.Close });
  }

  #sideOf(client: ModelClient): ClientSide {
    const { model } = this;
    return {
      ...unlimited,
      deliver: (buf, start, end) =>
        model.onClientMessage(client, Buffer.from(buf.subarray(start, end)).toString()),
      deliverSpliced: (buf, start, cutStart, cutEnd, end, id, idStart, idEnd) => {
        const parts = [buf.subarray(start, cutStart), id.subarray(idStart, idEnd), buf.subarray(cutEnd, end)];
        model.onClientMessage(client, Buffer.concat(parts).toString());
      },
      send: (bytes) => model.onClientMessage(client, Buffer.from(bytes).toString()),
      onUpstreamClose: () => {
        throw new Error('a client of a shared pool was told that its upstream closed');
      },
    };
  }

  #watch(dial: FakeDialer['pending'][number]): void {
    const { model } = this;
    this.#dialer.onConnection = (connection, upstream) => {
      const backend: Backend = { connection, upstream, unanswered: [], answered: [], said: [] };
      this.#backends.push(backend);
      const send = upstream.send.bind(upstream);
      const sendSpliced = upstream.sendSpliced.bind(upstream);
      const close = upstream.close.bind(upstream);
      upstream.send = (buf, start, end, isBinary) => {
        model.onSubmitted(upstream, Buffer.from(buf.subarray(start, end)).toString(), undefined);
        send(buf, start, end, isBinary);
      };
      upstream.sendSpliced = (buf, start, cutStart, cutEnd, end, id) => {
        const parts = [buf.subarray(start, cutStart), Buffer.from(String(id)), buf.subarray(cutEnd, end)];
        model.onSubmitted(upstream, Buffer.concat(parts).toString(), id);
        sendSpliced(buf, start, cutStart, cutEnd, end, id);
      };
      upstream.close = (code, reason) => {
        model.onClosed(upstream);
        close(code, reason);
      };
      connection.onFrame = ({ opcode, payload }) => {
        if (opcode !== Opcode.Text && opcode !== Opcode.Binary) return;
        const text = Buffer.from(this.#config.coded ? unpack(payload).bytes : payload).toString();
        const entry = model.onWritten(upstream, text);
        const { id } = JSON.parse(text) as { id?: number };
        if (id !== undefined) backend.unanswered.push({ wireId: id, entry });
      };
    };
    dial.open();
    this.#listenIn(this.#backends.at(-1)!);
  }

  /** Stands between the connection and its owner, so that the model expects what comes. */
  #listenIn({ upstream, said }: Backend): void {
    const { model } = this;
    const owner = upstream.owner!;
    upstream.owner = {
      onUpstreamMessage: (buf, start, end, isBinary) => {
        said.shift()!(() => owner.onUpstreamMessage(buf, start, end, isBinary));
      },
      onUpstreamGone: (code, reason) => {
        const connection = model.connectionOf(upstream);
        model.during({ kind: 'lost', connection }, () => owner.onUpstreamGone(code, reason));
      },
      onUpstreamWritable: () => owner.onUpstreamWritable(),
    };
  }

  #checkConnector(): void {
    const { dialing, total } = this.#connector;
    const open = this.mode.channels.length;
    if (dialing !== this.#dialer.pending.length) throw new Error(`${dialing} dials are counted`);
    if (total !== open + dialing)
      throw new Error(`${total} connections are counted, ${open} are open, ${dialing} on their way`);
    if (total > this.#config.maxConnections) throw new Error(`${total} connections`);
  }
}
