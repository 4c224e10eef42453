import type { ClosedLoopClient, ClosedLoopOptions } from './load-client.ts';
import type { Packer } from './packing.ts';
import { RawConnection } from './raw-connection.ts';
import { describeClose, frameAt, opcodeOf, opcodes, payloadOf } from './server-frame.ts';

/** Messages with their frames, built once, and the frames that were heard for them; all clients of a process share it. */
export class PackedMessages {
  readonly packer: Packer;
  readonly #plain: readonly Buffer[];
  readonly #frames: readonly Buffer[];
  readonly #heard: (Buffer | undefined)[] = [];

  constructor(plain: readonly Buffer[], packer: Packer) {
    this.packer = packer;
    this.#plain = plain;
    this.#frames = plain.map((message) => packer.pack(message));
  }

  /** The frame of message `index`, counted on past the last. */
  frame(index: number): Buffer {
    return this.#frames[index % this.#frames.length]!;
  }

  /** Mean length of the frames heard so far, each message counted once. */
  heardBytes(): number {
    const heard = this.#heard.filter((frame) => frame !== undefined);
    return heard.reduce((sum, { length }) => sum + length, 0) / heard.length;
  }

  /** Throws unless the received frame says what message `index` says. One that was heard before is not unpacked again. */
  check(index: number, frame: Buffer): void {
    const at = index % this.#plain.length;
    if (this.#heard[at]?.equals(frame)) return;
    const said = this.packer.unpack(frame[0]!, payloadOf(frame));
    if (!this.#plain[at]!.equals(said)) throw new Error(`wrong reply: not what message ${at} said`);
    this.#heard[at] = Buffer.from(frame);
  }
}

export interface PackedClientOptions extends ClosedLoopOptions {
  readonly messages: PackedMessages;
}

/** A client whose messages are large, all different, and echoed in their order. */
export class PackedClient implements ClosedLoopClient {
  readonly #options: PackedClientOptions;
  readonly #connection: RawConnection;
  #next: number;
  #partial = Buffer.alloc(0);
  #sentAtMs = 0;
  #inFlight = 0;

  constructor(options: PackedClientOptions) {
    this.#options = options;
    // Clients say different things at the same time: what is packed once for many would be no measure.
    this.#next = options.number * options.depth;
    this.#connection = new RawConnection({
      ...options,
      extension: options.messages.packer.extension,
      onBytes: (chunk, length) => this.#onBytes(chunk.subarray(0, length)),
      onFault: (reason) => options.onFault(`client ${options.number}: ${reason}`),
    });
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  send(nowMs: number): void {
    const { depth, messages } = this.#options;
    this.#sentAtMs = nowMs;
    this.#inFlight = depth;
    this.#connection.write(
      Buffer.concat(Array.from({ length: depth }, (_, i) => messages.frame(this.#next + i))),
    );
  }

  close(): void {
    this.#connection.close();
  }

  #onBytes(chunk: Buffer): void {
    let rest = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    let replies = 0;
    for (let frame = frameAt(rest); frame; frame = frameAt(rest)) {
      rest = rest.subarray(frame.length);
      if (this.#isReply(frame)) replies++;
    }
    this.#partial = Buffer.from(rest);
    if (replies > 0) this.#onReplies(replies);
  }

  #isReply(frame: Buffer): boolean {
    const opcode = opcodeOf(frame);
    if (opcode === opcodes.ping) this.#connection.writePong(Buffer.from(payloadOf(frame)));
    if (opcode === opcodes.ping || opcode === opcodes.pong) return false;
    if (opcode === opcodes.close) throw new Error(`closed by the server: ${describeClose(payloadOf(frame))}`);
    if (this.#inFlight-- === 0) throw new Error('a reply came before its request');
    this.#options.messages.check(this.#next++, frame);
    return true;
  }

  #onReplies(replies: number): void {
    const nowMs = performance.now();
    const goOn = this.#options.onReplies(replies, nowMs - this.#sentAtMs, nowMs);
    if (this.#inFlight === 0 && goOn) this.send(nowMs);
  }
}
