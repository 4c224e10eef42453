/** The payload of a bad message that says that it is compressed. */
export type BadPayload = readonly [what: string, payload: Buffer, code?: 1007 | 1009];

/** What bombs unpack to. */
export const BOMB_BYTES = 10 << 20;
