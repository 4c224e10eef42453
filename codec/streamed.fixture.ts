import { once } from 'node:events';
import type { Transform } from 'node:stream';

type Flushing = Transform & { flush(done: () => void): void };

/** What a stream of node:zlib makes of these parts when it is flushed after each: its header cannot say how large the whole is. */
export async function streamed(stream: Transform, parts: readonly Uint8Array[]): Promise<Buffer> {
  const out: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => out.push(chunk));
  const ended = once(stream, 'end');
  for (const part of parts) {
    stream.write(part);
    await new Promise<void>((done) => {
      (stream as Flushing).flush(done);
    });
  }
  stream.end();
  await ended;
  return Buffer.concat(out);
}
