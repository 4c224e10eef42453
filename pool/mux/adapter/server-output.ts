import { NO_CLOSE_CODE } from '../../wire/close-code.ts';
import { Opcode } from '../../wire/opcode.ts';
import type { MuxFrameWriter } from '../frame-writer.ts';
import { affordableBytes, dataCost, maxCredit } from '../frames.ts';
import { ResponseHead, type ServerResponse } from './response-head.ts';
import { ServerFrames } from './server-frames.ts';

/** The way to the gateway, which all clients share. */
export interface SharedWay {
  /** So much waits to be written that messages have to wait as well. */
  readonly congested: boolean;
  /** Calls `resume`, later. */
  waitForRoom(output: ServerOutput): void;
  /** Where frames go; they are sent at the end of this turn. */
  frames(): MuxFrameWriter;
}

export interface ServerOutputOptions {
  readonly id: number;
  /** Bytes that may be sent to the client at first. */
  readonly credit: number;
  readonly way: SharedWay;
  readonly onResponse: (response: ServerResponse) => void;
  readonly onClose: (code: number, reason: string) => void;
}

/** A part that is shorter than this, and not the end of its frame, waits for more credit. */
const shortPartBytes = 4_096;
const NONE: Buffer = Buffer.alloc(0);

/** Turns what a WebSocket server writes to one client into frames of its stream, as fast as that one's credit allows. */
export class ServerOutput {
  readonly #options: ServerOutputOptions;
  readonly #shortPartBytes: number;
  readonly #frames = new ServerFrames((opcode, payload) => this.#onControl(opcode, payload));
  #head: ResponseHead | undefined = new ResponseHead();
  #stopped = false;
  #credit: number;
  #pingsUnanswered = 0;

  /** What is being written, sent up to `#at`, and who waits for that. */
  #chunk = NONE;
  #at = 0;
  #onWritten: ((error?: Error | null) => void) | undefined;

  constructor(options: ServerOutputOptions) {
    this.#options = options;
    this.#credit = options.credit;
    // Beyond half a window the gateway need not give anything back.
    this.#shortPartBytes = Math.min(shortPartBytes, affordableBytes(options.credit >> 1));
  }

  /** Writes a chunk, and says when all of it is sent or dropped. Not to be called before that. */
  write(chunk: Buffer, onWritten: (error?: Error | null) => void): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#onWritten = onWritten;
    this.resume();
  }

  /** Goes on with what waits. */
  resume(): void {
    if (this.#onWritten === undefined) return;
    let fault: Error | undefined;
    try {
      if (!this.#send()) return;
    } catch (error) {
      fault = error as Error;
    }
    this.#done(fault);
  }

  /** Drops all from now on. What waits fails with `error`, or counts as written. */
  stop(error?: Error): void {
    this.#stopped = true;
    this.#done(error);
  }

  /** More credit with the client; false when it is too much. */
  addCredit(credit: number): boolean {
    this.#credit += credit;
    if (this.#credit > maxCredit) return false;
    this.resume();
    return true;
  }

  /** Whether the server has asked for this PONG. */
  expectsPong(): boolean {
    return this.#pingsUnanswered > 0 && this.#pingsUnanswered-- > 0;
  }

  #done(error: Error | undefined): void {
    const onWritten = this.#onWritten;
    this.#onWritten = undefined;
    this.#chunk = NONE;
    onWritten?.(error);
  }

  /** False when a part has to wait. */
  #send(): boolean {
    const { way } = this.#options;
    const frames = this.#frames;
    const chunk = this.#chunk;
    if (this.#head !== undefined && !this.#stopped) this.#readHead(this.#head);
    while (this.#at < chunk.length && !this.#stopped) {
      this.#at = frames.next(chunk, this.#at);
      while (frames.inPayload && (this.#at < chunk.length || frames.left === 0)) {
        const wanted = Math.min(frames.left, chunk.length - this.#at);
        const size = Math.min(wanted, affordableBytes(this.#credit));
        if (size < Math.min(wanted, this.#shortPartBytes)) return false;
        if (way.congested) {
          way.waitForRoom(this);
          return false;
        }
        this.#sendPart(size);
      }
    }
    return true;
  }

  #sendPart(size: number): void {
    const { id, way } = this.#options;
    const frames = this.#frames;
    const start = this.#at;
    const { isBinary } = frames;
    const isLast = frames.isLast && size === frames.left;
    frames.take(size);
    this.#credit -= dataCost(size);
    this.#at = start + size;
    way.frames().data(id, this.#chunk, start, start + size, isBinary, isLast);
  }

  #readHead(head: ResponseHead): void {
    const response = head.push(this.#chunk);
    this.#at = response === undefined ? this.#chunk.length : head.restAt;
    if (response === undefined) return;
    this.#head = undefined;
    this.#options.onResponse(response);
  }

  #onControl(opcode: number, payload: Buffer): void {
    const { id, way, onClose } = this.#options;
    if (opcode === Opcode.Close) {
      const code = payload.length < 2 ? NO_CLOSE_CODE : payload.readUInt16BE(0);
      onClose(code, payload.toString('utf8', 2));
    } else if (opcode === Opcode.Ping) {
      this.#pingsUnanswered++;
      way.frames().ping(id, payload, 0, payload.length);
    } else {
      way.frames().pong(id, payload, 0, payload.length);
    }
  }
}
