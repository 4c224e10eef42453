/** Compresses and decompresses single messages; each is packed on its own, so any can be read without the ones before. */
export interface Codec {
  /** What a client asks for it by, and its label in /metrics. */
  readonly name: string;
  /** Messages of this many bytes or more are better packed in the thread pool. */
  readonly encodeInPoolFromBytes: number;
  /** Packs a message, also one that `decode` returned, in this thread. The result is valid until the next `encode`. */
  encode(plain: Uint8Array): Uint8Array;
  /** The same in the thread pool; `plain` must not change before the result is there. */
  encodeInPool(plain: Uint8Array): Promise<Uint8Array>;
  /** True when unpacking may take long enough to be better done in the thread pool. */
  decodesSlowly(packed: Uint8Array): boolean;
  /**
   * Unpacks a message in this thread. The result is valid until the next `decode`. Throws `CodecError` for what
   * is not exactly one message of this codec, and for one of more than maxBytes.
   */
  decode(packed: Uint8Array, maxBytes: number): Uint8Array;
  /** The same in the thread pool, where `CodecError` rejects; `packed` must not change before the result is there. */
  decodeInPool(packed: Uint8Array, maxBytes: number): Promise<Uint8Array>;
}

/** `undecodable`: garbage, truncated, followed by something, or in need of an unknown dictionary. `too-big`: more than allowed. */
export type CodecFault = 'undecodable' | 'too-big';

/** A message that cannot be unpacked. */
export class CodecError extends Error {
  readonly code = 'WSLUICE_CODEC';
  readonly fault: CodecFault;

  constructor(fault: CodecFault, message: string) {
    super(message);
    this.fault = fault;
  }
}
