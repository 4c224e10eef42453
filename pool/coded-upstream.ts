import type { UpstreamConnection, UpstreamOwner, Upstream } from './upstream.ts';

type Visitor = (buf: Uint8Array, start: number, end: number, isBinary: boolean) => void;

/** Why messages cannot be packed or unpacked any more; see codec/transcoder.ts. */
export type UpstreamCodecFault = 'undecodable' | 'decoded-too-big' | 'codec-behind';

/** What a transcoder hands back. The bytes are valid only during the call. */
export interface UpstreamTranscoderOwner {
  onEncoded(bytes: Uint8Array, isBinary: boolean): void;
  onDecoded(bytes: Uint8Array, isBinary: boolean): void;
  onCodecFault(fault: UpstreamCodecFault): void;
}

/** Packs and unpacks the messages of one connection, at once or later but in their order; see codec/transcoder.ts. */
export interface UpstreamTranscoder {
  /** Messages wait to be packed. */
  readonly encoding: boolean;
  /** So many do that there should not be more. */
  readonly crowded: boolean;
  encode(plain: Uint8Array, isBinary: boolean): void;
  decode(wire: Uint8Array, isBinary: boolean): void;
  afterEncoding(callback: () => void): void;
  afterDecoding(callback: () => void): void;
  stopEncoding(): void;
  stopDecoding(): void;
  /** Visits what a message holds that it packed itself. */
  unpack(wire: Uint8Array, isBinary: boolean, visit: (plain: Uint8Array, isBinary: boolean) => void): void;
  /** Visits what waits to be packed, oldest first. */
  visitWaiting(visit: (plain: Uint8Array, isBinary: boolean) => void): void;
}

/** A codec that is spoken to those upstreams that agree to it. */
export interface UpstreamCodec {
  readonly name: string;
  /** Offered in the handshake, after the client's own. */
  readonly subprotocol: string;
  open(owner: UpstreamTranscoderOwner): UpstreamTranscoder;
}

interface Message {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
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
  readonly #transcoder: UpstreamTranscoder;
  /** The owner wants to hear nothing more. */
  #closed = false;
  #crowded = false;
  /** Once the connection is gone: what was provably never written. */
  #unsent: readonly Message[] | undefined;

  constructor(wire: Upstream, codec: UpstreamCodec) {
    this.label = wire.label;
    this.protocol = wire.protocol === codec.subprotocol ? '' : wire.protocol;
    this.#wire = wire;
    this.#transcoder = codec.open(this);
    wire.owner = this;
  }

  get usable(): boolean {
    return !this.#closed && this.#wire.usable;
  }

  get congested(): boolean {
    return this.#crowded || this.#wire.congested;
  }

  get pendingBytes(): number {
    // What waits to be packed counts as well; how much it will be is not known yet.
    return this.#wire.pendingBytes + (this.#transcoder.encoding ? 1 : 0);
  }

  send(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    if (this.#unsent !== undefined) return;
    this.#transcoder.encode(buf.subarray(start, end), isBinary);
    if (!this.#transcoder.crowded || this.#crowded) return;
    this.#crowded = true;
    this.#transcoder.afterEncoding(() => {
      this.#crowded = false;
      if (!this.#closed && !this.#wire.congested) this.owner?.onUpstreamWritable();
    });
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
    const message = Buffer.concat(parts);
    this.send(message, 0, message.length, false);
  }

  unsent(visit: Visitor): void {
    for (const { bytes, isBinary } of this.#unsent ?? this.#collectUnsent())
      visit(bytes, 0, bytes.length, isBinary);
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#transcoder.stopDecoding();
    this.#transcoder.afterEncoding(() => this.#wire.close(code, reason));
  }

  destroy(): void {
    this.#closed = true;
    this.#transcoder.stopDecoding();
    this.#transcoder.stopEncoding();
    this.#wire.destroy();
  }

  onEncoded(bytes: Uint8Array, isBinary: boolean): void {
    if (this.#unsent === undefined) this.#wire.send(bytes, 0, bytes.length, isBinary);
  }

  onDecoded(bytes: Uint8Array, isBinary: boolean): void {
    if (!this.#closed) this.owner?.onUpstreamMessage(bytes, 0, bytes.length, isBinary);
  }

  onCodecFault(fault: UpstreamCodecFault): void {
    this.#transcoder.stopDecoding();
    this.#wire.onFault(closeCodes[fault], fault);
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.#transcoder.decode(buf.subarray(start, end), isBinary);
  }

  onUpstreamWritable(): void {
    if (!this.#closed && !this.#crowded) this.owner?.onUpstreamWritable();
  }

  /** The owner hears of it after what the upstream said before. */
  onUpstreamGone(code: number, reason: string): void {
    this.#unsent = this.#collectUnsent();
    this.#transcoder.stopEncoding();
    this.#transcoder.afterDecoding(() => {
      if (this.#closed) return;
      this.#closed = true;
      this.owner?.onUpstreamGone(code, reason);
    });
  }

  #collectUnsent(): Message[] {
    const messages: Message[] = [];
    const keep = (plain: Uint8Array, isBinary: boolean): void => {
      messages.push({ bytes: new Uint8Array(plain), isBinary });
    };
    this.#wire.unsent((buf, start, end, isBinary) =>
      this.#transcoder.unpack(buf.subarray(start, end), isBinary, keep),
    );
    this.#transcoder.visitWaiting(keep);
    return messages;
  }
}
