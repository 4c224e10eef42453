import type { IncomingMessage } from 'node:http';
import zlib from 'node:zlib';
import { commonId, dictionariesHeader, formatIds, parseDictionary, type Dictionary } from '../dictionary.ts';
import { MessageCodec, zeroCodecBytes } from '../message-codec.ts';
import { codecSubprotocol, negotiateCodec, type Negotiated } from '../negotiate.ts';
import { codecNames, registry, type CodecName } from '../registry.ts';
import { Transcoder, type TranscoderContext, type TranscoderLimits } from '../transcoder.ts';
import { createTranscoding } from '../transcoding.ts';
import { CodecSocket, type WsSocket } from './codec-socket.ts';

export type { CodecSocket, WsSocket };

/** What a `WebSocketServer` of the package `ws` is used for. */
export interface WsServer {
  readonly options: {
    handleProtocols?: ((offered: Set<string>, request: IncomingMessage) => string | false) | undefined;
  };
  on(event: 'headers', listener: (headers: string[], request: IncomingMessage) => void): unknown;
}

export interface CodecServerOptions {
  /** What a client may ask for; by default all that this Node has. */
  readonly codecs?: readonly CodecName[];
  /** Messages below this many bytes are sent as they are. */
  readonly minBytes?: number;
  /** Largest message after unpacking; a larger one closes with 1009. */
  readonly maxDecodedBytes?: number;
  /** Bytes of messages that may wait for the thread pool, for each connection and direction; beyond it closes with 1013. */
  readonly maxPendingBytes?: number;
  /** Messages that may be in the thread pool at the same time. */
  readonly threads?: number;
  readonly gzipLevel?: number;
  readonly brotliQuality?: number;
  readonly zstdLevel?: number;
  /** Contents of zstd dictionary files that the other side has too; the first one packs. */
  readonly dictionaries?: readonly Uint8Array[];
  /** Told of bugs: something threw that should not. */
  readonly onError?: (error: unknown) => void;
}

const mib = 1_048_576;
const defaultNames = codecNames.filter((name) => name !== 'zstd' || 'zstdCompressSync' in zlib);

/** Lets a `ws` server speak wsluice's codecs to those clients that ask for one, above all to a wsluice in front of it. */
export class CodecServer {
  readonly #names: ReadonlySet<string>;
  readonly #dictionaries: readonly Dictionary[];
  readonly #create: (name: CodecName, packsWith: number | undefined) => MessageCodec;
  /** By their name and the id of the dictionary they pack with. */
  readonly #codecs = new Map<string, MessageCodec>();
  readonly #context: TranscoderContext;
  readonly #limits: TranscoderLimits;
  readonly #negotiated = new WeakMap<IncomingMessage, Negotiated>();

  /** Joins in the server's handshakes. Throws WSLUICE_DICTIONARY for bytes that are no zstd dictionary. */
  constructor(server: WsServer, options: CodecServerOptions = {}) {
    const { maxPendingBytes = 32 * mib, threads = 4, onError = warn } = options;
    const dictionaries = (options.dictionaries ?? []).map(parseDictionary);
    this.#names = new Set(options.codecs ?? defaultNames);
    this.#dictionaries = dictionaries;
    this.#create = creator(options, dictionaries);
    this.#context = createTranscoding({ threads, maxPendingBytes, onError });
    this.#limits = { maxEncodingBytes: maxPendingBytes, maxDecodingBytes: maxPendingBytes };
    const chooseApplications = server.options.handleProtocols;
    server.options.handleProtocols = (_, request) => {
      const { protocol, protocols } = this.#negotiate(request);
      const offered = new Set(protocols);
      // Without a say of the application `ws` takes the first.
      const chosen =
        offered.size === 0 ? false : (chooseApplications?.(offered, request) ?? protocols[0] ?? false);
      return chosen === false || chosen === '' ? protocol !== '' && protocol : chosen;
    };
    server.on('headers', (headers, request) => {
      const { codec } = this.#negotiate(request);
      if (codec !== undefined) headers.push(`Wsluice-Codec: ${codec}`);
      if (codec === 'zstd') headers.push(`${dictionariesHeader}: ${formatIds(this.#dictionaries)}`);
    });
  }

  /** The connection as its client means it, whether it asked for a codec or not. Call it from within 'connection'. */
  connect<Socket extends WsSocket>(socket: Socket, request: IncomingMessage): CodecSocket<Socket> {
    const codec = this.#codecOf(request);
    return new CodecSocket(
      socket,
      codec?.name,
      (owner) => codec && new Transcoder(codec, this.#context, this.#limits, owner),
    );
  }

  #codecOf(request: IncomingMessage): MessageCodec | undefined {
    const name = this.#negotiate(request).codec as CodecName | undefined;
    if (name === undefined) return undefined;
    const packsWith = this.#packsWith(request.headers['wsluice-dictionaries']);
    const key = `${name} ${packsWith ?? ''}`;
    const codec = this.#codecs.get(key) ?? this.#create(name, packsWith);
    this.#codecs.set(key, codec);
    return codec;
  }

  /** The first dictionary that the peer has as well, 0 for none; undefined, which means the first, when it does not say. */
  #packsWith(peersIds: string | string[] | undefined): number | undefined {
    return peersIds === undefined ? undefined : commonId(this.#dictionaries, peersIds.toString());
  }

  /** Who asks only for what is unknown here gets none, unlike at a gateway's listener. */
  #negotiate(request: IncomingMessage): Negotiated {
    const known = this.#negotiated.get(request);
    if (known !== undefined) return known;
    const header = request.headers['sec-websocket-protocol'] ?? '';
    const protocols = header.split(',').flatMap((item) => item.trim() || []);
    const codec = /[?&]codec=([^&]*)/.exec(request.url ?? '')?.[1];
    const applications = protocols.filter((protocol) => !protocol.startsWith(codecSubprotocol('')));
    const negotiated = negotiateCodec({ codec, protocols }, this.#names) ?? {
      codec: undefined,
      protocol: '',
      protocols: applications,
    };
    this.#negotiated.set(request, negotiated);
    return negotiated;
  }
}

function creator(options: CodecServerOptions, dictionaries: readonly Dictionary[]) {
  const { minBytes = 1_024, maxDecodedBytes = 16 * mib } = options;
  return (name: CodecName, packsWith: number | undefined): MessageCodec => {
    const level = options.zstdLevel ?? 3;
    const codec = registry[name]({
      gzip: { level: options.gzipLevel ?? 6 },
      brotli: { quality: options.brotliQuality ?? 4 },
      zstd: packsWith === undefined ? { level, dictionaries } : { level, dictionaries, packsWith },
    });
    return new MessageCodec({ codec, minBytes, maxDecodedBytes, bytes: zeroCodecBytes() });
  };
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error));
}
