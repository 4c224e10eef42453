/** The subprotocol of a connection that carries many clients; docs/mux-protocol.md specifies what is said on it. */
export const muxSubprotocol = 'wsluice.mux.v1';

/** The first byte of each frame. */
export const FrameType = {
  Open: 0x01,
  Accept: 0x02,
  Refuse: 0x03,
  Close: 0x04,
  Window: 0x05,
  Ping: 0x06,
  Pong: 0x07,
  GoAway: 0x08,
  Text: 0x10,
  Binary: 0x11,
  TextPart: 0x12,
  BinaryPart: 0x13,
  /** From here on: extensions, skipped by those who do not know them. */
  FirstExtension: 0x80,
} as const;

/** A message of the carrying connection is at most this long. */
export const maxCarrierBytes = 1_048_576;
/** The payload of OPEN. */
export const maxOpenBytes = 65_536;
/** The payload of one DATA frame. */
export const maxPartBytes = 65_536;
/** The payload of PING and PONG. */
export const maxPingBytes = 125;
/** The reason of CLOSE. */
export const maxCloseReasonBytes = 123;
export const maxStreamId = 2 ** 31 - 1;
/** A credit never exceeds it. */
export const maxCredit = 2 ** 31 - 1;
/** The least first window. */
export const minWindow = 1_024;

const dataOverheadBytes = 16;

/** What a DATA frame with this many bytes takes from the credit of its stream. */
export function dataCost(payloadBytes: number): number {
  return payloadBytes + dataOverheadBytes;
}

/** The largest payload that a credit pays for; below 0 when not even an empty one. */
export function affordableBytes(credit: number): number {
  return Math.min(credit - dataOverheadBytes, maxPartBytes);
}

/** The client has vanished, or the backend has cut it off: there was no close frame. */
export const VANISHED_CODE = 1006;
