import type { SeatHandlers } from './client-side.ts';
import type { DialRequest } from './dial.ts';
import type { Priority } from './waiting/priority.ts';
import type { ModeFigures } from './pool-figures.ts';

/** One way to let clients use upstream connections. */
export interface Mode {
  /** False when every upstream is known to be out of reach. */
  readonly hopeful: boolean;
  /** Requests or clients that had no place so far: everything was in use, or they waited in vain. */
  readonly turnedAway: number;
  /** Finds a place for a client; one handler is called, at once or later, unless the returned function gives up before. */
  acquire(request: DialRequest, handlers: SeatHandlers, priority: Priority): () => void;
  /** The figures for /metrics, as of now. */
  figures(): ModeFigures;
  /** Closes every upstream connection with this code. */
  close(code: number, reason: string): void;
}
