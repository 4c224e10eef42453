import { setTimeout as sleep } from 'node:timers/promises';
import { listen, tryUpgrade } from './listening.ts';
import { OPCODE, clientFrame, type RawClient } from './raw-client.ts';
import type { TalkerOptions } from './request-talker.ts';

const MOST_OPEN = 12;

/** A client of an echo, whose messages have to come back as they are and in their order, until the connection ends in a code. */
export class SessionTalker {
  readonly faults: string[] = [];
  /** How often a connection ended in which code without having been asked to. */
  readonly ends = new Map<number, number>();
  sent = 0;
  echoed = 0;
  refused = 0;
  readonly #options: TalkerOptions;

  constructor(options: TalkerOptions) {
    this.#options = options;
  }

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
    const { name, goesOn, random } = this.#options;
    const open: string[] = [];
    const listening = listen(client, (text) => {
      if (text !== open.shift()) this.faults.push(`${name} heard ${text.slice(0, 100)}`);
      this.echoed++;
    });
    for (let rounds = 3 + random() * 40; rounds > 0 && goesOn() && !listening.ended(); rounds--) {
      for (let more = random() * 4; more > 0 && open.length < MOST_OPEN; more--) {
        const text = `${name}.${++this.sent} `.repeat(
          random() < 0.02 ? 2_000 : 1 + Math.floor(random() ** 3 * 60),
        );
        open.push(text);
        client.send(clientFrame(text));
      }
      await sleep(30 + random() * 220);
    }
    if (!listening.ended() && random() < 0.3) {
      client.destroy();
      return;
    }
    if (!listening.ended()) client.send(clientFrame(Buffer.from([0x03, 0xe8]), { opcode: OPCODE.close }));
    const code = await client.closed;
    if (code !== 1000) this.ends.set(code, (this.ends.get(code) ?? 0) + 1);
  }
}
