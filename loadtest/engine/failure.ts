import { printable } from '../report/printable.ts';

/** Something that went wrong, by a kind of which there are few, so that it can be counted. */
export class Failure extends Error {
  readonly code = 'WSLUICE_LOADTEST_FAILURE';
  readonly kind: string;
  /** Of the HTTP answer, where that was the refusal. */
  readonly status: number | undefined;

  constructor(kind: string, detail = '', status?: number) {
    // The detail is often a server's.
    super(detail === '' ? kind : `${kind}: ${printable(detail)}`);
    this.kind = kind;
    this.status = status;
  }
}

export const kinds = {
  refused: 'connection refused',
  reset: 'connection reset',
  cutOff: 'connection cut off without a close frame',
  unreachable: 'host unreachable',
  unknownHost: 'host not found',
  handshakeTimeout: 'handshake timed out',
  handshakeGarbage: 'garbage in the handshake',
  status: (status: number): string => `handshake refused: HTTP ${status}`,
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
  replyTimeout: 'reply timed out',
  wrongReply: 'wrong reply',
  undecodable: 'undecodable reply',
  unasked: 'reply that nobody asked for',
  errorReply: (code: number | string): string => `error reply ${code}`,
} as const;

const byCode: Readonly<Record<string, string>> = {
  ECONNREFUSED: kinds.refused,
  ECONNRESET: kinds.reset,
  EPIPE: kinds.reset,
  ENOTFOUND: kinds.unknownHost,
  EAI_AGAIN: kinds.unknownHost,
  EHOSTUNREACH: kinds.unreachable,
  ENETUNREACH: kinds.unreachable,
  ETIMEDOUT: kinds.handshakeTimeout,
  EPROTO: kinds.noTls,
  EMFILE: kinds.noFiles,
  ENFILE: kinds.noFiles,
  EADDRNOTAVAIL: kinds.noPorts,
};

/** Returns what an error of a socket or of `ws` means. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] };
  // A name with several addresses: what the last of them said.
  if (errors !== undefined && errors.length > 0) return failureOf(errors.at(-1));
  if (code === undefined) return new Failure(withoutCode(message), message);
  return new Failure(byCode[code] ?? kindOfCode(code), message);
}

function kindOfCode(code: string): string {
  if (code.startsWith('WS_ERR_')) return kinds.garbage;
  if (code.startsWith('HPE_')) return kinds.handshakeGarbage;
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code) ? kinds.certificate : code;
}

function withoutCode(message: string): string {
  if (message.includes('handshake has timed out')) return kinds.handshakeTimeout;
  if (/^(Invalid|Server sent|No |Unexpected)/.test(message)) return kinds.handshakeGarbage;
  return message;
}
