/** The JSON-RPC error codes that the gateway itself answers with. */
export const ErrorCode = {
  ParseError: -32700,
  InvalidRequest: -32600,
  NoUpstream: -32000,
  Timeout: -32001,
  OutcomeUnknown: -32002,
  QueueFull: -32003,
  RateLimited: -32029,
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** What is wrong and what to do about it, for each code: the default message of an error reply. */
export const ERROR_MESSAGES: Readonly<Record<ErrorCode, string>> = {
  [ErrorCode.ParseError]:
    'The message is not valid JSON: send one JSON-RPC 2.0 message, UTF-8 encoded, per WebSocket message.',
  [ErrorCode.InvalidRequest]:
    'The message is not a JSON-RPC 2.0 request that can be forwarded: correct it before sending it again.',
  [ErrorCode.NoUpstream]: 'No upstream is available and the request was not forwarded: try again later.',
  [ErrorCode.Timeout]:
    'The upstream did not answer in time: the request may have been carried out, so check before repeating it.',
  [ErrorCode.OutcomeUnknown]:
    'Outcome unknown: the upstream connection was lost after the request was sent, so check before repeating it.',
  [ErrorCode.QueueFull]:
    'Too many requests are waiting for an upstream and this one was not forwarded: try again later.',
  [ErrorCode.RateLimited]:
    'The rate limit is reached and the request was not forwarded: wait data.retryAfterMs milliseconds.',
};

/**
 * The bytes of a JSON-RPC error reply to the id token at `idStart`..`idEnd` of `id`, or to `null` when there is none.
 * `dataJson`, already JSON, becomes `error.data`.
 */
export function errorReply(
  id: Uint8Array | undefined,
  idStart: number,
  idEnd: number,
  code: number,
  message: string,
  dataJson?: string,
): Uint8Array {
  const data = dataJson === undefined ? '' : `,"data":${dataJson}`;
  const head = `{"jsonrpc":"2.0","error":{"code":${code},"message":${JSON.stringify(message)}${data}},"id":`;
  const token = id === undefined || idStart < 0 ? Buffer.from('null') : id.subarray(idStart, idEnd);
  return Buffer.concat([Buffer.from(head), token, Buffer.from('}')]);
}
