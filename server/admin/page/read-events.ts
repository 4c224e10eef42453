/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** What an event may have; a feed that sends more is none of ours. */
const maxEventChars = 8_000_000;

/**
 * The events of a `text/event-stream`, as they come. Read by hand, for EventSource sends no Authorization. Throws when the stream breaks, or
 * an event is larger than it may be.
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split(/\r?\n\r?\n/);
    text = events.pop()!;
    if (text.length > maxEventChars) throw new Error('an event is too large');
    for (const event of events) yield parse(event);
  }
}

function parse(text: string): ServerEvent {
  let event = 'message';
  const data: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line)!;
    if (field === 'event') event = value!;
    else if (field === 'data') data.push(value!);
  }
  return { event, data: data.join('\n') };
}
