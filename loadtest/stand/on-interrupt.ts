import { exitCodes } from './exit-codes.ts';

const sameKeyMs = 1_000;

export interface InterruptOptions {
  /** The run is to come to its end with what there is. */
  readonly onFirst: () => void;
  /** It is to end at once: called before it does. */
  readonly onLater?: () => void;
  /** Ends the process. */
  readonly exit?: (code: number) => never;
  readonly now?: () => number;
}

/** Hears Ctrl-C, and a signal that asks to end, until the returned function is called. */
export function onInterrupt({
  onFirst,
  onLater = () => undefined,
  exit = (code) => process.exit(code),
  now = () => performance.now(),
}: InterruptOptions): () => void {
  let firstAtMs: number | undefined;
  const listener = (): void => {
    if (firstAtMs === undefined) {
      firstAtMs = now();
      return onFirst();
    }
    // From npm the same Ctrl-C comes twice.
    if (now() - firstAtMs < sameKeyMs) return;
    onLater();
    exit(exitCodes.interrupted);
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}
