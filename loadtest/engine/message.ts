/** One message as an application means it, whatever is on the wire. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
}

/** True when both say the same. */
export function sameMessage(one: Message, other: Message): boolean {
  return one.isBinary === other.isBinary && Buffer.compare(one.bytes, other.bytes) === 0;
}
