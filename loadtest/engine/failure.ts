import { printable } from '../report/printable.ts';
import { kindOfCode, kinds } from '../result/failure-kinds.ts';

/** Something that went wrong, by its kind (`result/failure-kinds.ts`). */
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

/** Returns what an error of a socket or of `ws` means. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code, message, errors } = error as NodeJS.ErrnoException & { errors?: unknown[] };
  // A name with several addresses: what the last of them said.
  if (errors !== undefined && errors.length > 0) return failureOf(errors.at(-1));
  if (code === undefined) return new Failure(withoutCode(message), message);
  return new Failure(kindOf(code), message);
}

function kindOf(code: string): string {
  if (code.startsWith('WS_ERR_')) return kinds.garbage;
  if (code.startsWith('HPE_')) return kinds.handshakeGarbage;
  return /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS/.test(code) ? kinds.certificate : kindOfCode(code);
}

function withoutCode(message: string): string {
  if (message.includes('handshake has timed out')) return kinds.handshakeTimeout;
  if (/^(Invalid|Server sent|No |Unexpected)/.test(message)) return kinds.handshakeGarbage;
  return message;
}
