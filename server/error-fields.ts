/** What the log says of an error. */
export interface ErrorFields {
  readonly type: string;
  readonly code: string | undefined;
  /** Left out where it may repeat what somebody sent. */
  readonly message: string | undefined;
  /** Where it was thrown, a line for each call. */
  readonly stack: string;
}

/**
 * An error fit for the log. The message of one that the engine or a library made may quote a client's or an upstream's words, as
 * JSON.parse does, so only our own and the system's are told; the stack tells where, in any case.
 */
export function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error))
    return { type: typeof error, code: undefined, message: undefined, stack: '' };
  const { code, syscall } = error as NodeJS.ErrnoException;
  const isOurs = error.message.startsWith('bug: ') || code?.startsWith('WSLUICE_') === true;
  return {
    type: error.name,
    code,
    message: isOurs || syscall !== undefined ? error.message : undefined,
    stack: callsOf(error),
  };
}

/** A stack begins with the message, which may have several lines. */
function callsOf({ stack = '' }: Error): string {
  const calls = stack
    .split('\n')
    .filter((line) => /^ {4}at .*(?:\d\)?|<anonymous>\)?|native\)?)$/.test(line));
  return calls.join('\n');
}
