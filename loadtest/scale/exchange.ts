/** What the clients say: a text that comes back as it is, or a JSON-RPC call whose result is its parameter. */
export type Protocol = 'echo' | 'jsonrpc';

/** Of the counter of a client's messages: it keeps its width, and stays a small integer. */
export const firstCounter = 100_000_000;
export const lastCounter = 999_999_999;
const counterDigits = 9;
const nameDigits = 7;

const finText = 0x81;
const maskBit = 0x80;
const zero = 0x30;
const filler = 'the quick brown fox jumps over the lazy dog, ';
/** Beyond this, comparing with native code is faster. */
const longTail = 96;

/** Payload bytes of the shortest message, of the usual one, and of the longest. */
export const leastBytes: Readonly<Record<Protocol, number>> = { echo: 30, jsonrpc: 76 };
export const usualBytes: Readonly<Record<Protocol, number>> = { echo: 64, jsonrpc: 76 };
export const mostBytes = 60_000;

interface Line {
  readonly frame: Buffer;
  readonly nameAt: number;
  readonly counterAt: number;
}

/**
 * The frames of all clients of a process, built once: messages differ in two numbers, that of the client and that of the message, which are
 * written into the same memory for each. So no reply can be taken for that of another client, or of another message.
 */
export class Exchange {
  readonly #request: Line;
  readonly #reply: Line;
  /** What lies between the two numbers of a reply, as pairs of offsets. */
  readonly #between: readonly [number, number, number, number];
  #counter = -1;

  /** `bytes` is the length of a request's payload, from `leastBytes` to `mostBytes`. */
  constructor(protocol: Protocol, bytes: number = usualBytes[protocol]) {
    const least = leastBytes[protocol];
    if (bytes < least || bytes > mostBytes)
      throw new Error(`bug: a message has ${least} to ${mostBytes} bytes`);
    const [request, reply] = textsOf(protocol, bytes);
    this.#request = line(request, true);
    this.#reply = line(reply, false);
    const { nameAt, counterAt } = this.#reply;
    this.#between =
      nameAt < counterAt
        ? [nameAt, nameAt + nameDigits, counterAt, counterAt + counterDigits]
        : [counterAt, counterAt + counterDigits, nameAt, nameAt + nameDigits];
  }

  get requestLength(): number {
    return this.#request.frame.length;
  }

  get replyLength(): number {
    return this.#reply.frame.length;
  }

  /** Returns the frame of a client's message; the memory is that of the next one too. */
  request(client: number, counter: number): Buffer {
    const { frame, nameAt, counterAt } = this.#request;
    writeDigits(frame, nameAt, nameDigits, client);
    if (counter !== this.#counter) writeDigits(frame, counterAt, counterDigits, counter);
    this.#counter = counter;
    return frame;
  }

  /** Returns the number of the message, if the bytes at `at` are exactly a reply to one of this client's; else -1. `replyLength` bytes must be there. */
  counterIn(bytes: Buffer, at: number, client: number): number {
    const { frame, nameAt, counterAt } = this.#reply;
    if (readDigits(bytes, at + nameAt, nameDigits) !== client) return -1;
    const [firstAt, firstEnd, secondAt, secondEnd] = this.#between;
    for (let i = 0; i < firstAt; i++) if (bytes[at + i] !== frame[i]) return -1;
    for (let i = firstEnd; i < secondAt; i++) if (bytes[at + i] !== frame[i]) return -1;
    if (frame.length - secondEnd > longTail) {
      if (bytes.compare(frame, secondEnd, frame.length, at + secondEnd, at + frame.length) !== 0) return -1;
    } else for (let i = secondEnd; i < frame.length; i++) if (bytes[at + i] !== frame[i]) return -1;
    return readDigits(bytes, at + counterAt, counterDigits);
  }

  /** Returns a reply as a text, for messages to people. */
  replyText(client: number, counter: number): string {
    const frame = Buffer.from(this.#reply.frame);
    writeDigits(frame, this.#reply.nameAt, nameDigits, client);
    writeDigits(frame, this.#reply.counterAt, counterDigits, counter);
    return frame.toString('latin1', frame[1]! < 126 ? 2 : 4);
  }
}

/** Returns the client that a text speaks of; -1 for none. */
export function clientNamedIn(text: string): number {
  return Number(/client-(\d{7})/.exec(text)?.[1] ?? -1);
}

const nameMark = '0'.repeat(nameDigits);
const counterMark = String(firstCounter);

function textsOf(protocol: Protocol, bytes: number): [request: string, reply: string] {
  const padding = filler.repeat(Math.ceil(bytes / filler.length)).slice(0, bytes - leastBytes[protocol]);
  if (protocol === 'echo') {
    const text = `client-${nameMark} says ${counterMark} ${padding}`;
    return [text, text];
  }
  const params = `["client-${nameMark}${padding}"]`;
  return [
    `{"jsonrpc":"2.0","id":${counterMark},"method":"echo","params":${params}}`,
    `{"jsonrpc":"2.0","id":${counterMark},"result":${params}}`,
  ];
}

// The mask key is zero, so that the digits can be written in place: it hides messages from old proxies, of which there are none here.
function line(text: string, masked: boolean): Line {
  const payload = Buffer.from(text);
  const long = payload.length > 125;
  const header = [finText, (masked ? maskBit : 0) | (long ? 126 : payload.length)];
  if (long) header.push(payload.length >> 8, payload.length & 0xff);
  if (masked) header.push(0, 0, 0, 0);
  return {
    frame: Buffer.concat([Buffer.from(header), payload]),
    nameAt: header.length + text.indexOf(`-${nameMark}`) + 1,
    counterAt: header.length + text.indexOf(counterMark),
  };
}

function writeDigits(into: Buffer, at: number, digits: number, value: number): void {
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    into[i] = zero + rest - next * 10;
    rest = next;
  }
}

/** Returns the number, or -1 when not all of it are digits. */
function readDigits(from: Buffer, at: number, digits: number): number {
  let value = 0;
  for (let i = at; i < at + digits; i++) {
    const digit = from[i]! - zero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
