import { CodecError } from './codec.ts';
import { carriesText } from './flags.ts';
import { Lane, type LaneContext } from './lane.ts';
import type { MessageCodec } from './message-codec.ts';
import { TurnBudget, type TurnCounter } from './turn-budget.ts';

/** Why a connection's messages cannot be carried on: bad input, or more of it than the thread pool gets done. */
export type TranscoderFault = 'undecodable' | 'decoded-too-big' | 'codec-behind';

/** Whoever owns the connection. The bytes are valid only during the call. */
export interface TranscoderOwner {
  onEncoded(bytes: Uint8Array, isBinary: boolean): void;
  onDecoded(bytes: Uint8Array, isBinary: boolean): void;
  /** Nothing more is handed over in that direction. */
  onCodecFault(fault: TranscoderFault): void;
}

/** What all transcoders of a gateway share. */
export interface TranscoderContext extends LaneContext {
  readonly turns: TurnCounter;
}

/** What may wait for the thread pool behind the first message, by direction. */
export interface TranscoderLimits {
  /** Beyond it, what waits goes out uncompressed. */
  readonly maxEncodingBytes: number;
  /** Beyond it, the connection ends in `codec-behind`. Infinity where the reading stops while `decodingCrowded`. */
  readonly maxDecodingBytes: number;
}

/**
 * Encodes and decodes the messages of one connection, each direction in its order. There is a lane only where a message
 * had to go through the thread pool.
 */
export class Transcoder {
  readonly #codec: MessageCodec;
  readonly #context: TranscoderContext;
  readonly #limits: TranscoderLimits;
  readonly #owner: TranscoderOwner;
  readonly #budget: TurnBudget;
  #encoding: Lane | undefined;
  #decoding: Lane | undefined;

  constructor(
    codec: MessageCodec,
    context: TranscoderContext,
    limits: TranscoderLimits,
    owner: TranscoderOwner,
  ) {
    this.#codec = codec;
    this.#context = context;
    this.#limits = limits;
    this.#owner = owner;
    this.#budget = new TurnBudget(context.turns);
  }

  get codecName(): string {
    return this.#codec.name;
  }

  /** Messages are in the thread pool, or wait for those that are. */
  get busy(): boolean {
    return this.encoding || this.decoding;
  }

  /** Messages wait to be encoded. */
  get encoding(): boolean {
    return this.#encoding?.idle === false;
  }

  /** Messages wait to be decoded. */
  get decoding(): boolean {
    return this.#decoding?.idle === false;
  }

  /** So much waits to be encoded that there should not be more. */
  get crowded(): boolean {
    return this.#encoding?.crowded === true;
  }

  /** So much waits to be decoded that there should not be more. */
  get decodingCrowded(): boolean {
    return this.#decoding?.crowded === true;
  }

  /** Takes a message for the wire; the memory needs to be valid only during the call. */
  encode(plain: Uint8Array, isBinary: boolean): void {
    if (this.#encoding === undefined && !this.#codec.encodesSlowly(plain)) {
      this.#onEncoded(plain, this.#codec.encode(plain, isBinary), isBinary);
    } else {
      this.#encoding ??= this.#encodingLane();
      this.#encoding.push(plain, isBinary);
    }
  }

  /** Takes a message from the wire; the memory needs to be valid only during the call. */
  decode(wire: Uint8Array, isBinary: boolean): void {
    if (this.#decoding === undefined && !this.#budget.isSpent && !this.#decodesSlowly(wire, isBinary)) {
      this.#decodeAtOnce(wire, isBinary);
    } else {
      this.#decoding ??= this.#decodingLane();
      this.#decoding.push(wire, isBinary);
    }
  }

  /** Runs the callback when everything given to `encode` so far was handed over, or never will be. */
  afterEncoding(callback: () => void): void {
    if (this.#encoding === undefined) callback();
    else this.#encoding.afterPending(callback);
  }

  /** Runs the callback when everything given to `decode` so far was handed over, or never will be. */
  afterDecoding(callback: () => void): void {
    if (this.#decoding === undefined) callback();
    else this.#decoding.afterPending(callback);
  }

  /** Visits what a message for the wire holds. */
  unpack(wire: Uint8Array, isBinary: boolean, visit: (plain: Uint8Array, isBinary: boolean) => void): void {
    if (isBinary) visit(this.#codec.unpack(wire), !carriesText(wire));
    else visit(wire, false);
  }

  /** Visits what waits to be encoded, oldest first. */
  visitWaiting(visit: (plain: Uint8Array, isBinary: boolean) => void): void {
    this.#encoding?.visit(visit);
  }

  /** Nothing more is needed for the wire; what waits for it is forgotten. */
  stopEncoding(): void {
    this.#encoding?.stop();
  }

  /** Nothing more is needed from the wire; what waits is forgotten. */
  stopDecoding(): void {
    this.#decoding?.stop();
  }

  #encodingLane(): Lane {
    const codec = this.#codec;
    const lane: Lane = new Lane(
      this.#context,
      {
        isSlow: (plain) => codec.encodesSlowly(plain),
        mustRest: () => this.#budget.isSpent,
        now: (plain, isBinary) => {
          this.#budget.spend(plain.length);
          this.#onEncoded(plain, codec.encode(plain, isBinary), isBinary);
        },
        inPool: async (plain, isBinary) => {
          const wire = await codec.encodeInPool(plain, isBinary);
          return () => this.#onEncoded(plain, codec.counted(plain, wire), isBinary);
        },
        onError: (error) => this.#onError(error),
        // Rather large than late.
        onOverflow: () =>
          lane.handOver((plain, isBinary) => this.#onEncoded(plain, codec.wrap(plain, isBinary), isBinary)),
      },
      this.#limits.maxEncodingBytes,
    );
    return lane;
  }

  #decodingLane(): Lane {
    const lane: Lane = new Lane(
      this.#context,
      {
        isSlow: (wire, isBinary) => this.#decodesSlowly(wire, isBinary),
        mustRest: () => this.#budget.isSpent,
        now: (wire, isBinary) => this.#decodeNow(wire, isBinary),
        inPool: async (wire) => {
          const plain = await this.#codec.decodeInPool(wire);
          return () => this.#owner.onDecoded(plain, !carriesText(wire));
        },
        onError: (error) => this.#onError(error),
        onOverflow: () => {
          lane.stop();
          this.#owner.onCodecFault('codec-behind');
        },
      },
      this.#limits.maxDecodingBytes,
    );
    return lane;
  }

  #onEncoded(plain: Uint8Array, wire: Uint8Array, isBinary: boolean): void {
    this.#owner.onEncoded(wire, isBinary || wire !== plain);
  }

  #decodesSlowly(wire: Uint8Array, isBinary: boolean): boolean {
    return isBinary && this.#codec.decodesSlowly(wire);
  }

  /** Only what the codec throws is the message's fault; what its receiver throws is the caller's. */
  #decodeAtOnce(wire: Uint8Array, isBinary: boolean): void {
    let plain;
    try {
      plain = isBinary ? this.#codec.decode(wire) : wire;
    } catch (error) {
      this.#onError(error);
      return;
    }
    this.#handDecoded(wire, plain, isBinary);
  }

  #decodeNow(wire: Uint8Array, isBinary: boolean): void {
    this.#handDecoded(wire, isBinary ? this.#codec.decode(wire) : wire, isBinary);
  }

  #handDecoded(wire: Uint8Array, plain: Uint8Array, isBinary: boolean): void {
    this.#budget.spend(Math.max(wire.length, plain.length));
    this.#owner.onDecoded(plain, isBinary && !carriesText(wire));
  }

  #onError(error: unknown): void {
    if (error instanceof CodecError) {
      this.#owner.onCodecFault(error.fault === 'too-big' ? 'decoded-too-big' : 'undecodable');
      return;
    }
    this.#context.onError(error);
    this.#owner.onCodecFault('undecodable');
  }
}
