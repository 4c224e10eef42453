import { vi } from 'vitest';
import { FakePool, FakeUpstream, type FakeClient, type Message } from './dialogue.fixture.ts';

/** A subscription as a client knows it. */
interface Owned {
  readonly topic: string;
  /** Events that must have come, and those that did. */
  readonly expected: number[];
  readonly heard: number[];
}

interface ModelClient {
  readonly number: number;
  readonly client: FakeClient;
  /** Topics asked for and not answered, by request id. */
  readonly asked: Map<number, string>;
  readonly owned: Map<string, Owned>;
}

/** A subscription as a back end knows it. */
interface Live {
  readonly topic: string;
  /** Its reply has been sent; until then its events are to be kept. */
  answered: boolean;
  readonly early: number[];
}

interface Backend {
  readonly upstream: FakeUpstream;
  readonly live: Map<string, Live>;
  readonly unanswered: { readonly wireId: unknown; readonly id: string; readonly askedAtMs: number }[];
  next: number;
}

interface Params {
  readonly subscription: string;
  readonly result: { readonly topic: string; readonly event: number };
}

/** Back ends answer within the time-out, or not at all: what comes later is seen to elsewhere. */
const answeringMs = 1_800;

/** Clients, a pool and back ends that do random things, and a reference that says who must hear what. */
export class SubscriptionWorld {
  readonly pool: FakePool;
  readonly #coalesce: boolean;
  readonly #clients: ModelClient[] = [];
  readonly #backends: Backend[] = [];
  /** Where each topic lives: the subscription upstream whose reply came last. */
  readonly #places = new Map<string, Live>();
  #numbers = 0;
  #events = 0;
  /** What happened, so that a test can tell that the run was worth something. */
  readonly tally = { events: 0, early: 0, restored: 0, told: 0, foreign: 0 };

  constructor(coalesce: boolean) {
    this.#coalesce = coalesce;
    this.pool = new FakePool({
      endpoints: 2,
      maxConnections: 3,
      // Room for all, so that an unsubscribe is seen as soon as it is due.
      limits: { minConnections: 2, maxInFlightPerConnection: 128 },
      subscriptions: { coalesce, maxPerClient: 4, restoreTimeoutMs: 3_000, maxEarlyBytes: 100_000 },
    });
  }

  connect(): void {
    if (this.#clients.length >= 12) return;
    const client = this.pool.client();
    this.#clients.push({ number: ++this.#numbers, client, asked: new Map(), owned: new Map() });
  }

  leave(which: number): void {
    const one = this.#clients[which % this.#clients.length];
    if (one === undefined) return;
    one.client.leave();
    this.#clients.splice(this.#clients.indexOf(one), 1);
  }

  subscribe(which: number, detail: number): void {
    const one = this.#clients[which % this.#clients.length];
    if (one === undefined) return;
    const id = ++this.#numbers;
    const topic = this.#coalesce ? `shared ${detail % 3}` : `own ${one.number} ${id}`;
    const topics = [...one.asked.values(), ...[...one.owned.values()].map((owned) => owned.topic)];
    if (topics.includes(topic)) return;
    one.asked.set(id, topic);
    one.client.ask(id, 'eth_subscribe', [topic]);
  }

  unsubscribe(which: number, detail: number): void {
    const one = this.#clients[which % this.#clients.length];
    const victim = this.#clients[detail % this.#clients.length];
    const id = victim && [...victim.owned.keys()][detail % victim.owned.size];
    if (one === undefined || id === undefined) return;
    const isOwn = one.owned.has(id);
    this.#listen();
    one.owned.delete(id);
    one.client.ask('u', 'eth_unsubscribe', [id]);
    const { result } = one.client.heardOne();
    if (result !== isOwn) throw new Error(`unsubscribe of ${id} was answered with ${String(result)}`);
    if (!isOwn) this.tally.foreign++;
  }

  answer(which: number, detail: number): void {
    const backend = this.#backends[which % this.#backends.length];
    const [question] = backend?.unanswered.splice(detail % backend.unanswered.length, 1) ?? [];
    if (backend === undefined || question === undefined) return;
    const { wireId, id, askedAtMs } = question;
    const live = backend.live.get(id)!;
    const isTooLate = Date.now() - askedAtMs > answeringMs;
    if (isTooLate || detail % 7 === 0) backend.live.delete(id);
    if (isTooLate) return;
    if (detail % 7 === 0) {
      backend.upstream.say({ jsonrpc: '2.0', id: wireId, error: { code: -1, message: 'no' } });
      return;
    }
    live.answered = true;
    backend.upstream.reply(wireId, id);
    this.#read(backend);
    this.#listen();
    // Who asked had left, so it was ended at once.
    if (!backend.live.has(id)) return;
    if (this.#places.has(live.topic)) this.tally.restored++;
    this.#places.set(live.topic, live);
    for (const event of live.early) this.#expect(live.topic, event);
  }

  publish(which: number, detail: number): void {
    const backend = this.#backends[which % this.#backends.length];
    const id = backend && [...backend.live.keys()][detail % backend.live.size];
    if (backend === undefined || id === undefined) return;
    const live = backend.live.get(id)!;
    const event = ++this.#events;
    if (!live.answered) live.early.push(event);
    else if (this.#places.get(live.topic) === live) this.#expect(live.topic, event);
    backend.upstream.notify(id, { topic: live.topic, event });
    if (live.answered) this.tally.events++;
    else this.tally.early++;
  }

  kill(which: number): void {
    const backend = this.#backends.splice(which % (this.#backends.length || 1), 1)[0];
    backend?.upstream.die();
  }

  retire(which: number): void {
    const { channels } = this.pool.mode;
    const channel = channels[which % channels.length];
    if (channel?.draining === false) this.pool.mode.retire(channel);
  }

  open(which: number): void {
    const { pending } = this.pool.dialer;
    const dial = pending[which % pending.length];
    if (dial === undefined) return;
    const upstream = new FakeUpstream(dial.open());
    this.#backends.push({ upstream, live: new Map(), unanswered: [], next: 1 });
  }

  tick(ms: number): void {
    vi.advanceTimersByTime(ms);
  }

  /** Lets the back ends read and the clients listen, and checks. */
  check(): void {
    for (const backend of this.#backends) this.#read(backend);
    this.#listen();
    for (const { number, owned } of this.#clients) {
      for (const { topic, expected, heard } of owned.values()) {
        if (expected.join() !== heard.join())
          throw new Error(`client ${number} heard ${heard.join()} of ${topic}, not ${expected.join()}`);
      }
    }
  }

  /** Everything opens and is answered; whoever was not told has what it subscribed. Then all leave, and nothing is left. */
  settle(): void {
    const answerAll = (): void => {
      for (let round = 0; round < 60; round++) {
        this.open(0);
        this.check();
        for (let which = 0; which < this.#backends.length; which++) {
          while (this.#backends[which]!.unanswered.length > 0) this.answer(which, 1);
        }
        this.check();
        this.tick(100);
      }
    };
    answerAll();
    for (const { owned } of this.#clients) {
      for (const { topic } of owned.values()) {
        const places = this.#backends.filter(({ live }) =>
          [...live.values()].some((one) => one.topic === topic),
        );
        if (places.length !== 1) throw new Error(`${topic} lives in ${places.length} places`);
      }
    }
    while (this.#clients.length > 0) this.leave(0);
    answerAll();
    const left = this.#backends.flatMap(({ live }) => [...live.values()].map(({ topic }) => topic));
    const { client, upstream } = this.pool.subscriptions;
    const figures = {
      left: left.length,
      client,
      upstream,
      unsettled: this.pool.unsettled,
      inFlight: this.pool.mode.inFlight,
    };
    if (Object.values(figures).some((figure) => figure !== 0))
      throw new Error(`left: ${JSON.stringify(figures)}`);
  }

  #expect(topic: string, event: number): void {
    for (const { owned } of this.#clients) {
      for (const one of owned.values()) if (one.topic === topic) one.expected.push(event);
    }
  }

  #read(backend: Backend): void {
    for (const { id: wireId, method, params } of backend.upstream.asked()) {
      const [first = ''] = params as string[];
      if (method === 'eth_subscribe') {
        // Both connections begin at 1: what one calls so is not what the other does.
        const id = `0x${backend.next++}`;
        backend.live.set(id, { topic: first, answered: false, early: [] });
        backend.unanswered.push({ wireId, id, askedAtMs: Date.now() });
      } else {
        backend.upstream.reply(wireId, backend.live.delete(first));
      }
    }
  }

  #listen(): void {
    for (const one of [...this.#clients]) {
      for (const message of one.client.heard() as Message[]) this.#hear(one, message);
      if (!one.client.told) continue;
      this.tally.told++;
      one.client.leave();
      this.#clients.splice(this.#clients.indexOf(one), 1);
    }
  }

  #hear({ number, asked, owned }: ModelClient, { id, result, error, params }: Message): void {
    if (params === undefined) {
      const topic = asked.get(id as number);
      if (topic === undefined) throw new Error(`client ${number} had an answer to ${String(id)}`);
      asked.delete(id as number);
      if (error === undefined) owned.set(result as string, { topic, expected: [], heard: [] });
      return;
    }
    const { subscription, result: event } = params as Params;
    const one = owned.get(subscription);
    if (one?.topic !== event.topic) throw new Error(`client ${number} heard of ${event.topic}, not its own`);
    one.heard.push(event.event);
  }
}
