import type { Upstream } from './upstream.ts';
import {
  CodedUpstream,
  type UpstreamCodec,
  type UpstreamTranscoder,
  type UpstreamTranscoderOwner,
} from './coded-upstream.ts';

type Visit = (bytes: Uint8Array, isBinary: boolean) => void;

interface Item {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** What a packed message begins with. */
const packedMark = '=';
const textMark = 't';
const binaryMark = 'b';
/** A packed message that begins so cannot be unpacked. */
export const undecodable = '!';

/** The wire form of a message: binary, and back to front. */
export function pack(plain: Uint8Array | string, isBinary = false): Buffer {
  const mark = packedMark + (isBinary ? binaryMark : textMark);
  return Buffer.concat([Buffer.from(mark), Buffer.from(plain).reverse()]);
}

/** What a wire form holds; throws for what is none. */
export function unpack(wire: Uint8Array): Item {
  if (String.fromCharCode(wire[0]!) !== packedMark) throw new Error('bug: not packed');
  const isBinary = String.fromCharCode(wire[1]!) === binaryMark;
  return { bytes: Buffer.from(wire.subarray(packedMark.length + 1)).reverse(), isBinary };
}

export interface ToyUpstreamCodecOptions {
  /** True for a message whose way leads through the thread pool. */
  readonly isSlow?: (plain: Uint8Array) => boolean;
  /** Messages that may wait in one direction. */
  readonly maxWaiting?: number;
}

/** A codec whose thread pool works when the test says so. Every message becomes a binary one. */
export class ToyUpstreamCodec implements UpstreamCodec {
  readonly name = 'toy';
  readonly subprotocol = 'wsluice.toy';
  readonly isSlow: (plain: Uint8Array) => boolean;
  readonly maxWaiting: number;
  readonly opened: ToyTranscoder[] = [];
  /** As real codecs do, it returns the same memory again and again. */
  readonly #scratch = Buffer.alloc(200_000);

  constructor({
    isSlow = (plain) => Buffer.from(plain).includes('slow'),
    maxWaiting = Infinity,
  }: ToyUpstreamCodecOptions = {}) {
    this.isSlow = isSlow;
    this.maxWaiting = maxWaiting;
  }

  readonly headers = [];
  /** Why connections were cut. */
  readonly faults: string[] = [];

  onFault(_: string, fault: string): void {
    this.faults.push(fault);
  }

  later(callback: () => void): void {
    setImmediate(callback);
  }

  open(owner: UpstreamTranscoderOwner): ToyTranscoder {
    const transcoder = new ToyTranscoder(this, owner);
    this.opened.push(transcoder);
    return transcoder;
  }

  /** Runs `use` with bytes that are overwritten afterwards. */
  lend(bytes: Uint8Array, use: (lent: Uint8Array) => void): void {
    const lent = this.#scratch.subarray(0, bytes.length);
    lent.set(bytes);
    use(lent);
    lent.fill('#');
  }
}

/** One direction: messages wait behind the first that is slow, and each is handed on by one `work`. */
class ToyLane {
  readonly #items: Item[] = [];
  readonly #maxWaiting: number;
  readonly #handOn: (item: Item) => void;
  readonly #onOverflow: () => void;
  #callbacks: (() => void)[] = [];
  /** The first item is being handed on, or has been. */
  #handingOn = false;
  /** The real one makes no lane before a message has to wait, and what is not there cannot be stopped. */
  #exists = false;
  #stopped = false;

  constructor(maxWaiting: number, handOn: (item: Item) => void, onOverflow: () => void) {
    this.#maxWaiting = maxWaiting;
    this.#handOn = handOn;
    this.#onOverflow = onOverflow;
  }

  get size(): number {
    return this.#items.length;
  }

  get crowded(): boolean {
    return this.size > this.#maxWaiting / 2;
  }

  push(bytes: Uint8Array, isBinary: boolean, isSlow: boolean): void {
    if (this.#stopped) return;
    const item = { bytes: new Uint8Array(bytes), isBinary };
    if (this.size === 0 && !isSlow) {
      this.#handOn(item);
      return;
    }
    this.#exists = true;
    this.#items.push(item);
    if (this.size > this.#maxWaiting) this.fail(this.#onOverflow);
  }

  work(): void {
    const item = this.#items[0];
    if (item === undefined) return;
    this.#handingOn = true;
    this.#handOn(item);
    this.#handingOn = false;
    this.#items.shift();
    if (this.size === 0) this.#runCallbacks();
  }

  visit(visit: Visit): void {
    for (const { bytes, isBinary } of this.#items.slice(this.#handingOn ? 1 : 0)) visit(bytes, isBinary);
  }

  after(callback: () => void): void {
    if (this.size === 0) callback();
    else this.#callbacks.push(callback);
  }

  fail(tell: () => void): void {
    this.#stopped = true;
    tell();
    this.#items.length = 0;
    this.#runCallbacks();
  }

  stop(): void {
    if (this.#exists && !this.#stopped) this.fail(() => undefined);
  }

  #runCallbacks(): void {
    for (const callback of this.#callbacks.splice(0)) callback();
  }
}

/** See codec/transcoder.ts for the real one. */
export class ToyTranscoder implements UpstreamTranscoder {
  readonly #codec: ToyUpstreamCodec;
  readonly #encoding: ToyLane;
  readonly #decoding: ToyLane;

  constructor(codec: ToyUpstreamCodec, owner: UpstreamTranscoderOwner) {
    this.#codec = codec;
    const onOverflow = (): void => owner.onCodecFault('codec-behind');
    this.#encoding = new ToyLane(
      codec.maxWaiting,
      ({ bytes, isBinary }) => codec.lend(pack(bytes, isBinary), (packed) => owner.onEncoded(packed, true)),
      onOverflow,
    );
    this.#decoding = new ToyLane(
      codec.maxWaiting,
      ({ bytes, isBinary }) => {
        if (!isBinary) {
          codec.lend(bytes, (plain) => owner.onDecoded(plain, false));
        } else if (String.fromCharCode(bytes[0]!) === undecodable) {
          this.#decoding.fail(() => owner.onCodecFault('undecodable'));
        } else {
          const plain = unpack(bytes);
          codec.lend(plain.bytes, (lent) => owner.onDecoded(lent, plain.isBinary));
        }
      },
      onOverflow,
    );
  }

  get encoding(): boolean {
    return this.#encoding.size > 0;
  }

  get decoding(): boolean {
    return this.#decoding.size > 0;
  }

  get crowded(): boolean {
    return this.#encoding.crowded;
  }

  get decodingCrowded(): boolean {
    return this.#decoding.crowded;
  }

  /** What waits, both ways. */
  get waiting(): number {
    return this.#encoding.size + this.#decoding.size;
  }

  encode(plain: Uint8Array, isBinary: boolean): void {
    this.#encoding.push(plain, isBinary, this.#codec.isSlow(plain));
  }

  decode(wire: Uint8Array, isBinary: boolean): void {
    const isPacked = isBinary && String.fromCharCode(wire[0]!) === packedMark;
    this.#decoding.push(wire, isBinary, this.#codec.isSlow(isPacked ? unpack(wire).bytes : wire));
  }

  /** The thread pool gets one message for the upstream done. */
  workOnEncoding(): void {
    this.#encoding.work();
  }

  /** The thread pool gets one message of the upstream done. */
  workOnDecoding(): void {
    this.#decoding.work();
  }

  afterEncoding(callback: () => void): void {
    this.#encoding.after(callback);
  }

  afterDecoding(callback: () => void): void {
    this.#decoding.after(callback);
  }

  stopEncoding(): void {
    this.#encoding.stop();
  }

  stopDecoding(): void {
    this.#decoding.stop();
  }

  unpack(wire: Uint8Array, isBinary: boolean, visit: Visit): void {
    const plain = isBinary ? unpack(wire) : { bytes: wire, isBinary };
    this.#codec.lend(plain.bytes, (lent) => visit(lent, plain.isBinary));
  }

  visitWaiting(visit: Visit): void {
    this.#encoding.visit(visit);
  }
}

/** An upstream connection that speaks the toy codec, and what packs its messages. */
export function openCoded(
  wire: Upstream,
  codec: ToyUpstreamCodec,
): { upstream: CodedUpstream; toy: ToyTranscoder } {
  const upstream = new CodedUpstream(wire, codec, '');
  return { upstream, toy: codec.opened.at(-1)! };
}
