import { CodecError } from '../codec.ts';

/** All that a stream brings. Throws `CodecError` as soon as it is more than maxBytes, and leaves the rest. */
export async function readUpTo(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joinBytes(chunks, length);
    chunks.push(value);
    length += value.length;
    if (length <= maxBytes) continue;
    reader.cancel().catch(() => undefined);
    throw new CodecError('too-big', `more than ${maxBytes} bytes`);
  }
}

/** The chunks, `length` bytes in all, in one piece. */
export function joinBytes(chunks: readonly Uint8Array[], length: number): Uint8Array {
  if (chunks.length === 1) return chunks[0]!;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
