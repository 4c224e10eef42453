/** Frame opcodes (RFC 6455 section 5.2). */
export const Opcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** Most payload bytes of a control frame. */
export const MAX_CONTROL_BYTES = 125;
