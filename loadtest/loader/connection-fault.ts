import { kindOfCode, kinds } from '../result/failure-kinds.ts';

/** Why a connection is over, with the kind of it (`result/failure-kinds.ts`) for those who count. */
export class ConnectionFault extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Returns what kind of fault an error of a connection is, from a set that is bounded. */
export function faultKind(error: Error): string {
  if (error instanceof ConnectionFault) return error.kind;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? kinds.wrongReply : kindOfCode(code);
}
