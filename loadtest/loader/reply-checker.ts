import { addToCounter, batchOf } from './script.ts';
import type { Line } from './script.ts';
import { describeClose, frameAt, opcodeOf, opcodes, payloadOf } from './server-frame.ts';

export interface ReplyCheckerOptions {
  readonly reply: Line;
  /** Requests in flight at once, 1 to 31. */
  readonly depth: number;
  /** Called with the payload of a ping; the owner answers it. */
  readonly onPing: (payload: Buffer) => void;
}

/** Checks each byte that one client receives: each request of a batch is answered once, by its own reply, in any order. */
export class ReplyChecker {
  readonly #expected: Buffer;
  readonly #size: number;
  readonly #options: ReplyCheckerOptions;
  /** Bytes of `#expected` matched so far while replies come in order. */
  #matched = 0;
  /** Set from the first surprise of a batch to its end: bytes of a frame that is not complete. */
  #partial: Buffer | undefined;
  #answered = 0;
  #answeredCount = 0;

  constructor(options: ReplyCheckerOptions) {
    this.#options = options;
    this.#expected = batchOf(options.reply, options.depth);
    this.#size = options.reply.frame.length;
  }

  /** Replies of the current batch seen so far. */
  get answered(): number {
    return this.#partial ? this.#answeredCount : Math.floor(this.#matched / this.#size);
  }

  /** Takes `length` received bytes; returns how many replies they completed. Throws on any byte that is not owed. */
  take(chunk: Buffer, length: number): number {
    const before = this.answered;
    const end = this.#matched + length;
    if (!this.#partial && end <= this.#expected.length) {
      if (chunk.compare(this.#expected, this.#matched, end, 0, length) === 0) {
        this.#matched = end;
        return this.answered - before;
      }
    }
    this.#takeFrames(chunk.subarray(0, length));
    return this.answered - before;
  }

  /** Expects the next batch; throws unless the current one is complete. */
  next(): void {
    const { depth, reply } = this.#options;
    if (this.answered !== depth || this.#partial?.length) throw new Error('bug: the batch is not complete');
    for (let i = 0; i < depth; i++) addToCounter(this.#expected, i * this.#size + reply.counterAt, depth);
    this.#matched = 0;
    this.#partial = undefined;
  }

  #takeFrames(chunk: Buffer): void {
    let rest = Buffer.concat([this.#leaveFastPath(), chunk]);
    for (let frame = frameAt(rest); frame; frame = frameAt(rest)) {
      rest = rest.subarray(frame.length);
      this.#takeFrame(frame);
    }
    this.#partial = rest;
  }

  /** Returns the bytes of the incomplete frame, which so far are exactly the expected ones. */
  #leaveFastPath(): Buffer {
    if (this.#partial) return this.#partial;
    this.#answeredCount = this.answered;
    this.#answered = 2 ** this.#answeredCount - 1;
    return this.#expected.subarray(this.#answeredCount * this.#size, this.#matched);
  }

  #takeFrame(frame: Buffer): void {
    const opcode = opcodeOf(frame);
    if (opcode === opcodes.ping) this.#options.onPing(Buffer.from(payloadOf(frame)));
    if (opcode === opcodes.ping || opcode === opcodes.pong) return;
    if (opcode === opcodes.close) throw new Error(`closed by the server: ${describeClose(payloadOf(frame))}`);
    for (let i = 0; i < this.#options.depth; i++) {
      const owed = (this.#answered & (1 << i)) === 0;
      if (!owed || !frame.equals(this.#expected.subarray(i * this.#size, (i + 1) * this.#size))) continue;
      this.#answered |= 1 << i;
      this.#answeredCount++;
      return;
    }
    const heard = payloadOf(frame).toString('latin1', 0, 200);
    const wanted = payloadOf(this.#expected.subarray(0, this.#size)).toString('latin1');
    throw new Error(`wrong reply: heard ${heard}; the oldest one owed was like ${wanted}`);
  }
}
