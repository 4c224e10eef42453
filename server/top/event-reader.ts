import { TopFault } from './top-fault.ts';

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** What a gateway sends is far smaller. */
const defaultMaxEventChars = 1 << 26;

/** Cuts a text/event-stream into its events, whatever pieces it comes in. */
export class EventReader {
  readonly #maxEventChars: number;
  #rest = '';

  constructor({ maxEventChars = defaultMaxEventChars }: { readonly maxEventChars?: number } = {}) {
    this.#maxEventChars = maxEventChars;
  }

  /** The events that this piece completes; throws when one grows beyond all measure. */
  push(piece: string): ServerEvent[] {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop()!;
    if (this.#rest.length > this.#maxEventChars)
      throw new TopFault('an event without end', { passing: false });
    return blocks.map(eventOf);
  }
}

function eventOf(block: string): ServerEvent {
  const fields = { event: 'message', data: '' };
  for (const line of block.split('\n')) {
    const [, name, value = ''] = /^(event|data): ?(.*)$/.exec(line) ?? [];
    if (name === 'event') fields.event = value;
    else if (name === 'data') fields.data += value;
  }
  return fields;
}
