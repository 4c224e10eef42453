import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';

/** What clients of several gateways offer together. */
export interface SkewedLoad {
  /** WebSocket addresses of gateways in request mode; each gets as many clients. */
  readonly urls: readonly string[];
  readonly clientsPerUrl: number;
  readonly seconds: number;
  /** Requests per second at all gateways together, whatever becomes of them. */
  readonly perSecond: number;
  /** The part of the load that each gateway gets. */
  readonly shares: readonly number[];
  /** How soon the next gateway is the busiest. */
  readonly turnMs: number;
  /** Microseconds on the clock that the limit goes by. */
  readonly timeUs: () => Promise<number>;
}

/** What became of it. */
export interface LoadFigures {
  readonly offered: number;
  readonly answered: number;
  readonly refused: number;
  /** Answers that were wrong, and one line when some are missing. */
  readonly faults: readonly string[];
  /** From before the first request to after the last answer. */
  readonly elapsedSeconds: number;
  /** Milliseconds from sending a request to its answer, in ascending order. */
  readonly latenciesMs: Float64Array;
  /** Time in which this process was held up and offered nothing, beyond 10 ms at a time. */
  readonly idleSeconds: number;
  /** Answers by the second in which they came. */
  readonly answeredBySecond: readonly number[];
}

const settleWithinMs = 10_000;
const gapMs = 10;

/** Offers a steady load, whose busiest gateway changes, and checks every answer. Throws when it cannot connect. */
export async function offerSkewedLoad(load: SkewedLoad): Promise<LoadFigures> {
  const { urls, clientsPerUrl, shares, perSecond, turnMs, timeUs } = load;
  const tally = new Tally();
  const askers = await Promise.all(
    urls.map((url, at) =>
      Promise.all(Array.from({ length: clientsPerUrl }, (_, n) => Asker.connect(url, `${at}-${n}`, tally))),
    ),
  );
  const places = inTurns(shares);
  const beforeUs = await timeUs();
  const startedMs = performance.now();
  tally.startedMs = startedMs;
  let [offered, lastMs, idleMs] = [0, startedMs, 0];
  for (let nowMs = startedMs; nowMs - startedMs < load.seconds * 1_000; nowMs = performance.now()) {
    idleMs += Math.max(0, nowMs - lastMs - gapMs);
    lastMs = nowMs;
    const busiest = Math.floor((nowMs - startedMs) / turnMs);
    for (const due = ((nowMs - startedMs) / 1_000) * perSecond; offered < due; offered++) {
      const gateway = askers[(busiest + places[offered % places.length]!) % urls.length]!;
      gateway[Math.floor(offered / places.length) % clientsPerUrl]!.ask(nowMs);
    }
    await sleep(1);
  }
  await tally.settled(offered);
  const elapsedSeconds = ((await timeUs()) - beforeUs) / 1e6;
  for (const asker of askers.flat()) asker.close();
  return { ...tally.figures(), offered, elapsedSeconds, idleSeconds: idleMs / 1_000 };
}

/** What all clients got. */
class Tally {
  startedMs = 0;
  readonly #faults: string[] = [];
  readonly #latenciesMs: number[] = [];
  readonly #bySecond: number[] = [];
  #answered = 0;

  add(isAnswer: boolean, latencyMs: number): void {
    this.#latenciesMs.push(latencyMs);
    if (!isAnswer) return;
    this.#answered++;
    const second = Math.floor((performance.now() - this.startedMs) / 1_000);
    this.#bySecond[second] = (this.#bySecond[second] ?? 0) + 1;
  }

  addFault(fault: string): void {
    this.#faults.push(fault);
  }

  /** Resolves when so many are decided; some may never be. */
  async settled(offered: number): Promise<void> {
    const deadlineMs = performance.now() + settleWithinMs;
    const missing = (): number => offered - this.#latenciesMs.length;
    while (missing() > 0 && performance.now() < deadlineMs) await sleep(1);
    if (missing() > 0) this.addFault(`${missing()} of ${offered} requests were not answered`);
  }

  figures(): Pick<LoadFigures, 'answered' | 'refused' | 'faults' | 'latenciesMs' | 'answeredBySecond'> {
    return {
      answered: this.#answered,
      refused: this.#latenciesMs.length - this.#answered,
      faults: this.#faults,
      latenciesMs: Float64Array.from(this.#latenciesMs).sort(),
      answeredBySecond: Array.from(this.#bySecond, (count: number | undefined) => count ?? 0),
    };
  }
}

/** A client that asks for its own name and a number, and wants both back. */
class Asker {
  readonly #socket: WebSocket;
  readonly #name: string;
  readonly #tally: Tally;
  readonly #askedAtMs = new Map<number, number>();
  #asked = 0;
  #isClosing = false;

  private constructor(socket: WebSocket, name: string, tally: Tally) {
    this.#socket = socket;
    this.#name = name;
    this.#tally = tally;
    socket.on('message', (data: Buffer) => this.#take(data.toString()));
    socket.on('close', (code) => {
      if (!this.#isClosing) tally.addFault(`${name} was closed with ${code}`);
    });
  }

  static async connect(url: string, name: string, tally: Tally): Promise<Asker> {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return new Asker(socket, name, tally);
  }

  ask(nowMs: number): void {
    const id = this.#asked++;
    this.#askedAtMs.set(id, nowMs);
    this.#socket.send(`{"jsonrpc":"2.0","id":${id},"method":"echo","params":["${this.#name}",${id}]}`);
  }

  close(): void {
    this.#isClosing = true;
    this.#socket.terminate();
  }

  #take(text: string): void {
    const { id, result, error } = JSON.parse(text) as { id: number; result?: unknown; error?: Refusal };
    const askedAtMs = this.#askedAtMs.get(id);
    const isRefusal = error?.code === -32029 && error.data.retryAfterMs > 0;
    const isAnswer = error === undefined && JSON.stringify(result) === `["${this.#name}",${id}]`;
    if (askedAtMs === undefined || !(isRefusal || isAnswer)) {
      this.#tally.addFault(`${this.#name} got ${text}`);
      return;
    }
    this.#askedAtMs.delete(id);
    this.#tally.add(isAnswer, performance.now() - askedAtMs);
  }
}

interface Refusal {
  readonly code: number;
  readonly data: { readonly retryAfterMs: number };
}

/** Twenty requests, dealt out to places as the shares say. */
function inTurns(shares: readonly number[]): number[] {
  return shares.flatMap((share, place) => Array.from({ length: Math.round(share * 20) }, () => place));
}
