import { createRequire } from 'node:module';
import type { Logger } from 'pino';

// An import would first look through its source for what it exports, which takes about as long as loading it.
const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');

export type Log = Logger;

/** JSON lines on standard output. Query strings and credentials are never logged. */
export function createLog(level: string): Log {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
}

/** The same as readable text, for a terminal. */
export async function createTerminalLog(level: string): Promise<Log> {
  const { PinoPretty } = await import('pino-pretty');
  return pino({ level, base: null }, PinoPretty({ colorize: true, translateTime: 'HH:MM:ss.l', sync: true }));
}
