import { setTimeout as sleep } from 'node:timers/promises';
import { listen, tryUpgrade, type Listening } from './listening.ts';
import { OPCODE, clientFrame, type RawClient } from './raw-client.ts';
import { RequestBook } from './request-book.ts';

export interface TalkerOptions {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly random: () => number;
  readonly goesOn: () => boolean;
}

const MOST_OPEN = 12;
/** More than any time-out of a gateway under test. */
const SETTLE_MS = 15_000;

/**
 * A client of request mode that connects, asks, and leaves, again and again: with one request or several at once, in batches and with notifications
 * between them, and with ids that every other one uses too.
 */
export class RequestTalker {
  readonly book = new RequestBook();
  /** Upgrades that were refused. */
  refused = 0;
  connections = 0;
  readonly #options: TalkerOptions;
  #marks = 0;

  constructor(options: TalkerOptions) {
    this.#options = options;
  }

  /** Talks for as long as it goes on, and then waits for what it has not been answered. */
  async talk(): Promise<void> {
    const { port, path, goesOn, random } = this.#options;
    while (goesOn()) {
      const client = await tryUpgrade(port, path);
      if (client !== undefined) await this.#converse(client);
      else {
        this.refused++;
        await sleep(50 + random() * 100);
      }
    }
  }

  async #converse(client: RawClient): Promise<void> {
    const { goesOn, random, name } = this.#options;
    this.connections++;
    const listening = listen(client, (text) => this.book.hear(text, performance.now()));
    let id = 0;
    for (let rounds = 3 + random() * 40; rounds > 0 && goesOn() && !listening.ended(); rounds--) {
      if (this.book.open < MOST_OPEN) id = this.#ask(client, id);
      await sleep(30 + random() * 220);
    }
    const patience = goesOn() ? random() : 0;
    if (patience < 0.4) await this.#settle(listening);
    if (listening.ended())
      this.book.faults.push(`${name} was closed with ${await client.closed}, with ${this.book.open} open`);
    const inOrder = patience < 0.7;
    if (inOrder) client.send(clientFrame(Buffer.from([0x03, 0xe8]), { opcode: OPCODE.close }));
    this.book.leave(inOrder);
    listening.stop();
    if (inOrder) await client.closed;
    else client.destroy();
  }

  async #settle(listening: Listening): Promise<void> {
    const deadlineMs = performance.now() + SETTLE_MS;
    while (this.book.open > 0 && !listening.ended() && performance.now() < deadlineMs) await sleep(20);
    if (this.book.open > 0) this.book.faults.push(`${this.#options.name}: ${this.book.open} without an end`);
  }

  /** Sends something; gives the last id that it used. */
  #ask(client: RawClient, lastId: number): number {
    const { random } = this.#options;
    const count = random() < 0.15 ? 1 + Math.floor(random() * 5) : 1;
    const elements = Array.from({ length: count }, (_, n) => this.#element(lastId + 1 + n));
    if (count > 1 && random() < 0.5) client.send(clientFrame(JSON.stringify(elements)));
    else client.send(Buffer.concat(elements.map((element) => clientFrame(JSON.stringify(element)))));
    return lastId + count;
  }

  #element(number: number): object {
    const { random, name } = this.#options;
    const mark = `${name}.${++this.#marks}`;
    const kind = random();
    const method = METHODS.find(({ below }) => kind < below)!.name;
    const padding = mark.repeat(random() < 0.02 ? 2_000 : Math.floor(random() ** 3 * 60));
    const params = { mark, ms: Math.floor(random() ** 4 * 2_500), padding };
    if (method === 'note') return { jsonrpc: '2.0', method, params };
    const id = random() < 0.5 ? number : String(number);
    this.book.ask(id, params, performance.now());
    return { jsonrpc: '2.0', id, method, params };
  }
}

/** The methods of test/support/json-rpc-backend.ts, each with the share up to which it is drawn. */
const METHODS = [
  { name: 'echo', below: 0.6 },
  { name: 'late', below: 0.8 },
  { name: 'dup', below: 0.86 },
  { name: 'unsolicited', below: 0.9 },
  { name: 'never', below: 0.92 },
  { name: 'note', below: 1 },
] as const;
