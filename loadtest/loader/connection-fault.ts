/** Why a connection is over, with the kind of it for those who count. */
export class ConnectionFault extends Error {
  readonly kind: string;

  constructor(kind: string, message: string) {
    super(message);
    this.kind = kind;
  }
}

const kinds: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'reset',
  EPIPE: 'reset',
  ETIMEDOUT: 'timed out',
  EADDRNOTAVAIL: 'no free port',
  EMFILE: 'too many open files',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
};

/** Returns what kind of fault an error of a connection is, from a set that is bounded. */
export function faultKind(error: Error): string {
  if (error instanceof ConnectionFault) return error.kind;
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? 'wrong reply' : (kinds[code] ?? code);
}
