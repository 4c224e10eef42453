import { pino, type Logger } from 'pino';
import { PinoPretty } from 'pino-pretty';

export type Log = Logger;

/** JSON lines on standard output; readable text where that is a terminal. Query strings and credentials are never logged. */
export function createLog(level: string, { isTerminal }: { isTerminal: boolean }): Log {
  if (!isTerminal) return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  return pino({ level, base: null }, PinoPretty({ colorize: true, translateTime: 'HH:MM:ss.l', sync: true }));
}
