/** What each kind of failure is called, in every summary, report and result. There are few, so that they can be counted. */
export const kinds = {
  refused: 'connection refused',
  reset: 'connection reset',
  cutOff: 'connection cut off without a close frame',
  timedOut: 'connection timed out',
  unreachable: 'host unreachable',
  unknownHost: 'host not found',
  handshakeTimeout: 'handshake timed out',
  handshakeGarbage: 'garbage in the handshake',
  status: (status: number): string => `${refusedStatus}${status}`,
  noCodec: 'codec not agreed on',
  certificate: 'certificate not trusted',
  noTls: 'TLS failed',
  noFiles: 'no more open files (EMFILE)',
  noPorts: 'no more ports (EADDRNOTAVAIL)',
  garbage: 'garbage from the server',
  closed: (code: number): string => `closed by the server: ${code}`,
  notClosed: 'not closed by the server',
  closeTimeout: 'no answer to the close',
  gone: 'connection gone',
  readsTooSlowly: 'server reads too slowly',
  replyTimeout: 'reply timed out',
  replyLost: 'connection lost before the reply',
  wrongReply: 'wrong reply',
  foreignReply: 'foreign reply',
  undecodable: 'undecodable reply',
  unasked: 'reply that nobody asked for',
  errorReply: (code: number | string): string => `error reply ${code}`,
  inWarmUp: 'in the warm-up',
} as const;

const refusedStatus = 'handshake refused: HTTP ';

const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: kinds.refused,
  ECONNRESET: kinds.reset,
  EPIPE: kinds.reset,
  ENOTFOUND: kinds.unknownHost,
  EAI_AGAIN: kinds.unknownHost,
  EHOSTUNREACH: kinds.unreachable,
  ENETUNREACH: kinds.unreachable,
  ETIMEDOUT: kinds.timedOut,
  EPROTO: kinds.noTls,
  EMFILE: kinds.noFiles,
  ENFILE: kinds.noFiles,
  EADDRNOTAVAIL: kinds.noPorts,
};

/** Returns what the error code of a socket is called: the code itself where it has no other name. */
export function kindOfCode(code: string): string {
  return byCode[code] ?? code;
}

/** Returns the HTTP status with which a kind says that a handshake was refused; undefined for all others. */
export function statusIn(kind: string): number | undefined {
  return kind.startsWith(refusedStatus) ? Number(kind.slice(refusedStatus.length)) : undefined;
}
