const END = '\r\n\r\n';
const maxHeadBytes = 65_536;

/** What a WebSocket server answers to the handshake. */
export interface ServerResponse {
  readonly status: number;
  readonly reason: string;
  /** The subprotocol chosen, '' for none. */
  readonly protocol: string;
}

/** Collects the head of an HTTP response from chunks of any size. */
export class ResponseHead {
  #text = '';
  /** Where in the last chunk the bytes behind the head begin. */
  restAt = 0;

  /** The response, once its head is complete. Throws when it is none. */
  push(chunk: Buffer): ServerResponse | undefined {
    const before = this.#text.length;
    this.#text += chunk.toString('latin1');
    const end = this.#text.indexOf(END);
    if (end < 0) {
      if (this.#text.length > maxHeadBytes) throw new Error('a response whose head has no end');
      return undefined;
    }
    this.restAt = end + END.length - before;
    return parseHead(this.#text.slice(0, end));
  }
}

function parseHead(head: string): ServerResponse {
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3})(?: ([^\r\n]*))?/.exec(head) ?? [];
  if (status === undefined) throw new Error('not a response to a handshake');
  const protocol = /\r\nsec-websocket-protocol:[ \t]*([^\r\n]*)/i.exec(head)?.[1] ?? '';
  return { status: Number(status), reason, protocol: protocol.trimEnd() };
}
