import type { PoolLog } from './pool-log.ts';

const ignore = (): void => undefined;

/** Forgets every line. */
export const noLog: PoolLog = { debug: ignore, info: ignore, warn: ignore };

/** Keeps the message of every line from `info` on. */
export function logTo(lines: string[]): PoolLog {
  const keep = (_data: object, message: string): void => void lines.push(message);
  return { debug: ignore, info: keep, warn: keep };
}
