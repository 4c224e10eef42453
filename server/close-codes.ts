/** Why the gateway closes a client, and what the client is told: RFC 6455 section 7.4 and the table in docs/errors.md. */
export const closeTable = {
  'message-too-big': { code: 1009, reason: 'message too big' },
  undecodable: { code: 1007, reason: 'the message cannot be decoded' },
  'decoded-too-big': { code: 1009, reason: 'message too big after decoding' },
  'codec-behind': { code: 1013, reason: 'too many large messages at once, try again later' },
  'upstream-slow': { code: 1013, reason: 'the upstream reads too slowly, try again later' },
  'rate-limited': { code: 1008, reason: 'rate limit exceeded, slow down' },
  'slow-reader': { code: 1013, reason: 'you read too slowly, try again later' },
  'upstream-lost': { code: 1012, reason: 'the upstream connection was lost, reconnect' },
  dismissed: { code: 1008, reason: 'closed by an operator' },
  draining: { code: 1001, reason: 'going away, reconnect' },
} as const;

export type CloseCause = keyof typeof closeTable;

/** Every `type` of websocket_errors_total. */
export const errorTypes = [
  'message-too-big',
  'undecodable',
  'decoded-too-big',
  'codec-behind',
  'upstream-slow',
  'slow-reader',
  'upstream-lost',
  'heartbeat',
  'internal',
  'parse-error',
  'invalid-request',
  'no-upstream',
  'timeout',
  'outcome-unknown',
  'queue-full',
  'rate-limited',
] as const;

export type ErrorType = (typeof errorTypes)[number];

/** The error type of a JSON-RPC error code made by the gateway. */
export const errorTypeOfRpcCode: ReadonlyMap<number, ErrorType> = new Map([
  [-32700, 'parse-error'],
  [-32600, 'invalid-request'],
  [-32000, 'no-upstream'],
  [-32001, 'timeout'],
  [-32002, 'outcome-unknown'],
  [-32003, 'queue-full'],
  [-32029, 'rate-limited'],
]);

/** Every `reason` of websocket_rejected_total. */
export const rejectReasons = [
  'path',
  'handshake',
  'version',
  'codec',
  'origin',
  'per-ip-cap',
  'total-cap',
  'rate-limit',
  'no-upstream',
  'upstream-refused',
  'deadline',
  'draining',
  'internal',
] as const;

export type RejectReason = (typeof rejectReasons)[number];

/** What may be put in a close frame: 1005 and 1006 only ever stand for a frame without a code, or for none. */
export function isSendableCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}
