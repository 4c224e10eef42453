/** What clients say and expect to hear: one text frame of fixed size, with a counter of fixed width in it. */
export interface Line {
  readonly frame: Buffer;
  readonly counterAt: number;
}

/** A closed-loop exchange: the request of one client and the only acceptable reply to it. */
export interface Script {
  readonly request: Line;
  readonly reply: Line;
}

export type Protocol = 'echo' | 'jsonrpc';

/** Digits of the counter; it starts at 10,000,000 so that it keeps its width for 90 million messages. */
const counterDigits = 8;
const firstCounter = 10_000_000;

const counterMark = String(firstCounter);
const finText = 0x81;
const maskBit = 0x80;
const echoBytes = 64;

/** Returns what client number `client` sends and expects; every client's text differs, the counters do not. */
export function scriptFor(protocol: Protocol, client: number): Script {
  const name = `client-${String(client).padStart(5, '0')}`;
  if (protocol === 'echo') {
    const text = `${name} says ${counterMark} `.padEnd(echoBytes, '.');
    return { request: line(text, true), reply: line(text, false) };
  }
  return {
    request: line(`{"jsonrpc":"2.0","id":${counterMark},"method":"echo","params":["${name}"]}`, true),
    reply: line(`{"jsonrpc":"2.0","id":${counterMark},"result":["${name}"]}`, false),
  };
}

/** Returns `depth` copies of the line in one buffer, with consecutive counters. */
export function batchOf(source: Line, depth: number): Buffer {
  const batch = Buffer.concat(Array.from({ length: depth }, () => source.frame));
  for (let i = 0; i < depth; i++) addToCounter(batch, i * source.frame.length + source.counterAt, i);
  return batch;
}

/** Adds to the decimal counter at `at` in place; throws when it would outgrow its digits. */
export function addToCounter(buffer: Buffer, at: number, amount: number): void {
  let carry = amount;
  for (let i = at + counterDigits - 1; carry > 0; i--) {
    if (i < at) throw new Error('bug: the counter outgrew its digits');
    const sum = buffer[i]! - 48 + carry;
    buffer[i] = 48 + (sum % 10);
    carry = Math.floor(sum / 10);
  }
}

// The zero mask key is allowed on loopback and keeps the counter readable in place.
function line(text: string, masked: boolean): Line {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error('bug: a script line must fit the short frame header');
  const header = masked ? [finText, maskBit | payload.length, 0, 0, 0, 0] : [finText, payload.length];
  return {
    frame: Buffer.concat([Buffer.from(header), payload]),
    counterAt: header.length + text.indexOf(counterMark),
  };
}
