import { writeSync } from 'node:fs';
import type { StageMessage } from './stage-messages.ts';
import type { Telemetry } from './telemetry.ts';
import { telemetryFdVariable, type FaultLine, type TelemetryLine } from './telemetry-line.ts';

const secondMs = 1_000;
/** Clients may come one by one, and each leave nobody behind. */
const idleEveryMs = 50;

export interface TelemetryStream {
  /** No client is under way now: what they did is told at once, because artillery may end before the second does. */
  readonly onIdle: () => void;
}

/** Writes a line at the end of every second and a last one when the thread ends, to the open file that the command has named. */
export function streamTelemetry(telemetry: Telemetry, write = telemetryWriter()): TelemetryStream {
  const tellEarly = (): void => write(telemetry.take(Math.ceil(Date.now() / secondMs)));
  const tick = (): void => {
    const second = Math.floor(Date.now() / secondMs);
    write(telemetry.take(second));
    schedule();
  };
  // A timer of its own each time, so that they stay at the edges of seconds.
  const schedule = (): void => {
    setTimeout(tick, secondMs - (Date.now() % secondMs) + 1).unref();
  };
  schedule();
  process.once('exit', tellEarly);
  return { onIdle: atMostEvery(idleEveryMs, tellEarly) };
}

/** Calls it at once, or as soon as the last time is so long ago. */
function atMostEvery(everyMs: number, work: () => void): () => void {
  let freeAtMs = -Infinity;
  let waits = false;
  const run = (): void => {
    waits = false;
    freeAtMs = performance.now() + everyMs;
    work();
  };
  return () => {
    if (waits) return;
    const leftMs = freeAtMs - performance.now();
    if (leftMs <= 0) return run();
    waits = true;
    setTimeout(run, leftMs).unref();
  };
}

/** Tells the command why nothing can be run, or go on. */
export function tellFault(message: string): void {
  telemetryWriter()({ type: 'fault', message });
}

/** Returns what writes a line to the command, or nowhere when there is none. */
export function telemetryWriter(): (line: TelemetryLine | FaultLine | StageMessage) => void {
  const fd = Number(process.env[telemetryFdVariable]);
  if (!Number.isInteger(fd) || fd < 3) return () => undefined;
  return (line) => writeAll(fd, Buffer.from(`${JSON.stringify(line)}\n`));
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody listens any more: a load that nobody reads must not go on.
      if (code === 'EPIPE') process.kill(process.pid, 'SIGTERM');
      if (code !== 'EAGAIN') return;
    }
  }
}
