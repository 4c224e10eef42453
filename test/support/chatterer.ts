import { setTimeout as sleep } from 'node:timers/promises';
import { connectClient, type Client, type Json } from './client.ts';
import { isRefused, request } from './volley.ts';

/** A client that sends requests, batches and notifications in any order, and keeps account of them. */
export class Chatterer {
  /** What it should never have got. */
  readonly faults: string[] = [];
  /** What it sent: messages, and in them requests and notifications. */
  messages = 0;
  requests = 0;
  notes = 0;
  /** What it got: results, and errors -32029. */
  answers = 0;
  refusals = 0;
  readonly #client: Client;
  readonly #random: () => number;
  readonly #settled = new Set<unknown>();

  private constructor(client: Client, random: () => number) {
    this.#client = client;
    this.#random = random;
    client.socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as Json | Json[];
      for (const reply of [message].flat()) this.#take(reply);
    });
  }

  static async connect(url: string, random: () => number): Promise<Chatterer> {
    return new Chatterer(await connectClient(url), random);
  }

  /** Sends that many messages, some at once. */
  async talk(messages: number): Promise<void> {
    const random = this.#random;
    for (let n = 0; n < messages; n++) {
      const elements = random() < 0.15 ? 1 + Math.floor(random() * 5) : 0;
      this.#client.send(
        elements === 0 ? this.#element() : Array.from({ length: elements }, () => this.#element()),
      );
      this.messages++;
      if (random() < 0.3) await sleep(random() * 30);
    }
  }

  #element(): object {
    if (this.#random() < 0.15) {
      this.notes++;
      return { jsonrpc: '2.0', method: 'note' };
    }
    const number = this.requests++;
    const id = this.#random() < 0.5 ? number : String(number);
    return request(id, this.#random() < 0.6 ? 'echo' : 'whoami');
  }

  #take(reply: Json): void {
    const text = JSON.stringify(reply);
    if (this.#settled.has(reply.id)) this.faults.push(`a second answer: ${text}`);
    this.#settled.add(reply.id);
    if (isRefused(reply)) this.refusals++;
    else if (reply.error === undefined) this.answers++;
    else this.faults.push(text);
    if (Array.isArray(reply.result) && reply.result[0] !== reply.id) this.faults.push(`for another: ${text}`);
  }
}
