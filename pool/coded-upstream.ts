import { copyBytes } from './copy-bytes.ts';
import type { UpstreamConnection, UpstreamOwner, Upstream } from './upstream.ts';

type Visitor = (buf: Uint8Array, start: number, end: number, isBinary: boolean) => void;

/** Why messages cannot be packed or unpacked any more; see codec/transcoder.ts. */
export type UpstreamCodecFault = 'undecodable' | 'decoded-too-big' | 'codec-behind';

/** What a transcoder hands back. The bytes are valid only during the call. */
export interface UpstreamTranscoderOwner {
  onEncoded(bytes: Uint8Array, isBinary: boolean): void;
  onDecoded(bytes: Uint8Array, isBinary: boolean): void;
  /** Nothing more is handed over in that direction; only during this call what waited for it can still be visited. */
  onCodecFault(fault: UpstreamCodecFault): void;
}

/** Packs and unpacks the messages of one connection, at once or later but in their order; see codec/transcoder.ts. */
export interface UpstreamTranscoder {
  /** Messages wait to be packed. */
  readonly encoding: boolean;
  /** Messages wait to be unpacked. */
  readonly decoding: boolean;
  /** So many do that there should not be more. */
  readonly crowded: boolean;
  /** So many messages wait to be unpacked that there should not be more. */
  readonly decodingCrowded: boolean;
  encode(plain: Uint8Array, isBinary: boolean): void;
  decode(wire: Uint8Array, isBinary: boolean): void;
  afterEncoding(callback: () => void): void;
  afterDecoding(callback: () => void): void;
  stopEncoding(): void;
  stopDecoding(): void;
  /** Visits what a message holds that it packed itself; the bytes are valid only during the call. */
  unpack(wire: Uint8Array, isBinary: boolean, visit: (plain: Uint8Array, isBinary: boolean) => void): void;
  /** Visits what was given to `encode` and not handed over, oldest first; the bytes do not change any more. */
  visitWaiting(visit: (plain: Uint8Array, isBinary: boolean) => void): void;
}

/** A codec that is spoken to those upstreams that agree to it. */
export interface UpstreamCodec {
  readonly name: string;
  /** Offered in the handshake, after the client's own. */
  readonly subprotocol: string;
  /** Headers that go with the offer. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** `peersIds` are the zstd dictionaries that the upstream says it has, or ''. */
  open(owner: UpstreamTranscoderOwner, peersIds: string): UpstreamTranscoder;
  /** Told why a connection is cut. */
  onFault(upstream: string, fault: UpstreamCodecFault): void;
  /** Runs the callback outside of this call, and sees to what it throws. */
  later(callback: () => void): void;
}

interface Unsent {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
  readonly isPacked: boolean;
}

const closeCodes: Readonly<Record<UpstreamCodecFault, number>> = {
  undecodable: 1007,
  'decoded-too-big': 1009,
  'codec-behind': 1013,
};

/** An upstream connection whose messages are packed on the way. What is unsent when it ends is told unpacked. */
export class CodedUpstream implements UpstreamConnection, UpstreamOwner, UpstreamTranscoderOwner {
  owner: UpstreamOwner | undefined;
  readonly label: string;
  readonly protocol: string;
  readonly #wire: Upstream;
  readonly #codec: UpstreamCodec;
  readonly #transcoder: UpstreamTranscoder;
  /** The owner hears nothing more. */
  #closed = false;
  #crowded = false;
  /** Nothing is read from the upstream until what was read is unpacked. */
  #paused = false;
  /** Once nothing more is packed, for the connection is gone or about to be cut: what waited for it. */
  #waiting: readonly Unsent[] | undefined;
  /** Once the connection is gone and until the owner knows: all that was provably never written. */
  #unsent: readonly Unsent[] | undefined;

  constructor(wire: Upstream, codec: UpstreamCodec, peersIds: string) {
    this.label = wire.label;
    this.protocol = wire.protocol;
    this.#wire = wire;
    this.#codec = codec;
    this.#transcoder = codec.open(this, peersIds);
    wire.owner = this;
  }

  get usable(): boolean {
    return !this.#closed && this.#waiting === undefined && this.#wire.usable;
  }

  get congested(): boolean {
    return this.#crowded || this.#wire.congested;
  }

  get stalled(): boolean {
    return this.#wire.congested;
  }

  get heard(): number {
    return this.#wire.heard;
  }

  ping(): void {
    this.#wire.ping();
  }

  get transcoding(): boolean {
    return this.#transcoder.encoding || this.#transcoder.decoding;
  }

  get pendingBytes(): number {
    // What waits to be packed counts as well; how much it will be is not known yet.
    return this.#wire.pendingBytes + (this.#transcoder.encoding ? 1 : 0);
  }

  send(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#encode(buf.subarray(start, end), isBinary);
  }

  sendSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: number,
  ): void {
    const parts = [buf.subarray(start, cutStart), Buffer.from(String(id)), buf.subarray(cutEnd, end)];
    this.#encode(Buffer.concat(parts), false);
  }

  unsent(visit: Visitor): void {
    for (const { bytes, isBinary, isPacked } of this.#unsent ?? this.#collectUnsent()) {
      if (isPacked) this.#transcoder.unpack(bytes, isBinary, (plain, kind) => visitCopy(plain, kind, visit));
      else visit(bytes, 0, bytes.length, isBinary);
    }
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transcoder.stopDecoding();
    this.#transcoder.afterEncoding(() => this.#wire.close(code, reason));
  }

  destroy(): void {
    this.#closed = true;
    // First of all: a goodbye that waits for what is being packed is not to be said any more.
    this.#wire.destroy();
    this.#transcoder.stopDecoding();
    this.#transcoder.stopEncoding();
  }

  onEncoded(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#wire.usable) this.#wire.send(bytes, 0, bytes.length, isBinary);
  }

  onDecoded(bytes: Uint8Array, isBinary: boolean): void {
    if (!this.#closed) this.owner?.onUpstreamMessage(bytes, 0, bytes.length, isBinary);
  }

  /** The connection is cut, but not within this call: that may come out of `send`, whose caller expects to lose nothing there. */
  onCodecFault(fault: UpstreamCodecFault): void {
    if (!this.usable) return;
    this.#stopEncoding();
    this.#codec.onFault(this.label, fault);
    this.#codec.later(() => {
      if (!this.#closed && this.#wire.usable) this.#wire.onFault(closeCodes[fault], fault);
    });
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (!this.usable) return;
    this.#transcoder.decode(buf.subarray(start, end), isBinary);
    if (this.#paused || !this.#transcoder.decodingCrowded) return;
    this.#paused = true;
    this.#wire.pause();
    this.#transcoder.afterDecoding(() => {
      this.#paused = false;
      this.#wire.resume();
    });
  }

  onUpstreamWritable(): void {
    if (this.usable && !this.congested) this.owner?.onUpstreamWritable();
  }

  onUpstreamGone(code: number, reason: string): void {
    if (this.#closed) {
      this.#transcoder.stopEncoding();
      return;
    }
    this.#stopEncoding();
    this.#unsent = this.#collectUnsent();
    this.#transcoder.afterDecoding(() => this.#tellGone(code, reason));
  }

  #encode(plain: Uint8Array, isBinary: boolean): void {
    if (!this.usable) return;
    this.#transcoder.encode(plain, isBinary);
    if (this.#crowded || !this.#transcoder.encoding || !this.#transcoder.crowded) return;
    this.#crowded = true;
    this.#transcoder.afterEncoding(() => {
      this.#crowded = false;
      this.onUpstreamWritable();
    });
  }

  /** The owner hears of it after what the upstream said before. */
  #tellGone(code: number, reason: string): void {
    if (!this.#closed) {
      this.#closed = true;
      this.owner?.onUpstreamGone(code, reason);
    }
    this.#waiting = [];
    this.#unsent = [];
  }

  #stopEncoding(): void {
    this.#waiting ??= this.#collectWaiting();
    this.#transcoder.stopEncoding();
  }

  /** What was written last comes last: first what is packed, then what waits for it. */
  #collectUnsent(): Unsent[] {
    const packed: Unsent[] = [];
    this.#wire.unsent((buf, start, end, isBinary) =>
      packed.push({ bytes: buf.subarray(start, end), isBinary, isPacked: true }),
    );
    return [...packed, ...(this.#waiting ?? this.#collectWaiting())];
  }

  #collectWaiting(): Unsent[] {
    const waiting: Unsent[] = [];
    this.#transcoder.visitWaiting((bytes, isBinary) => waiting.push({ bytes, isBinary, isPacked: false }));
    return waiting;
  }
}

/** Visitors may keep what they are shown. */
function visitCopy(plain: Uint8Array, isBinary: boolean, visit: Visitor): void {
  const bytes = copyBytes(plain, 0, plain.length);
  visit(bytes, 0, bytes.length, isBinary);
}
