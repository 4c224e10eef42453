const subprotocolPrefix = 'wsluice.';

/** What a client asks for in its opening handshake. */
export interface CodecRequest {
  /** Value of `?codec=`; undefined when it is not there. */
  readonly codec: string | undefined;
  /** The offered subprotocols, in the client's order. */
  readonly protocols: readonly string[];
}

export interface Negotiated {
  /** undefined when the client asks for none. */
  readonly codec: string | undefined;
  /** The subprotocol to answer with, unless the application chooses one of its own; '' when the codec was not offered as one. */
  readonly protocol: string;
  /** The application's subprotocols, in the client's order. */
  readonly protocols: readonly string[];
}

/** The subprotocol that stands for a codec. */
export function codecSubprotocol(codec: string): string {
  return subprotocolPrefix + codec;
}

/**
 * Chooses the codec: that of the URL, else the first of the known ones that is offered as subprotocol `wsluice.<codec>`. Returns
 * undefined when only unknown ones are asked for. The client may then ask again; a wrong guess would garble its messages.
 */
export function negotiateCodec(
  { codec, protocols }: CodecRequest,
  known: ReadonlySet<string>,
): Negotiated | undefined {
  const own = protocols.filter((protocol) => protocol.startsWith(subprotocolPrefix));
  const asked =
    codec === undefined ? own.map((protocol) => protocol.slice(subprotocolPrefix.length)) : [codec];
  const chosen = [...known].find((name) => asked.includes(name));
  if (asked.length > 0 && chosen === undefined) return undefined;
  const protocol = chosen === undefined ? '' : codecSubprotocol(chosen);
  return {
    codec: chosen,
    protocol: own.includes(protocol) ? protocol : '',
    protocols: protocols.filter((offered) => !own.includes(offered)),
  };
}
