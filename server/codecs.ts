import { readFileSync } from 'node:fs';
import pLimit from 'p-limit';
import { parseDictionary, type Dictionary } from '../codec/dictionary.ts';
import { MessageCodec, zeroCodecBytes, type CodecBytes } from '../codec/message-codec.ts';
import { codecNames, registry, type CodecName } from '../codec/registry.ts';
import { codecSubprotocol } from '../codec/negotiate.ts';
import { Transcoder, type TranscoderContext } from '../codec/transcoder.ts';
import type { UpstreamCodec } from '../pool/coded-upstream.ts';
import type { Config } from './config/schema.ts';
import type { Log } from './log.ts';

/** In all connections together as much may wait for the thread pool as in this many. */
const fullLanes = 64;

export interface CodecsOptions {
  readonly config: Config['codec'];
  readonly log: Log;
  readonly onError: (error: unknown) => void;
}

/** The codecs of one gateway, each shared by all connections that speak it. */
export class Codecs {
  /** What clients may ask for. */
  readonly offered: ReadonlySet<string>;
  readonly transcoding: TranscoderContext;
  /** What went through each codec so far. */
  readonly bytes: ReadonlyMap<string, CodecBytes> = new Map(
    codecNames.map((name) => [name, zeroCodecBytes()]),
  );
  readonly #config: Config['codec'];
  readonly #dictionaries: readonly Dictionary[];
  readonly #made = new Map<string, MessageCodec>();

  constructor({ config, log, onError }: CodecsOptions) {
    const { threads, maxPendingBytes, zstd } = config;
    this.#config = config;
    this.#dictionaries = [zstd.dictionary ?? []].flat().map((file) => parseDictionary(readFileSync(file)));
    this.transcoding = {
      runInPool: pLimit(threads),
      maxPendingBytes,
      maxTotalPendingBytes: fullLanes * maxPendingBytes,
      pendingBytes: 0,
      onError,
    };
    this.offered = new Set(config.offer.filter((name) => this.#runsHere(name, log)));
  }

  /** The dictionary with this id; undefined when it is not loaded. */
  dictionary(id: number): Dictionary | undefined {
    return this.#dictionaries.find((dictionary) => dictionary.id === id);
  }

  /**
   * The codec of a client that asked for it by name. It packs with the client's dictionary where that is loaded, with none
   * for id 0, else with the newest.
   */
  forClient(name: CodecName, dictionaryId?: number): MessageCodec {
    const { maxDecodedBytes } = this.#config;
    if (name !== 'zstd' || this.#dictionaries.length === 0) return this.#get(name, maxDecodedBytes, []);
    return this.#get(name, maxDecodedBytes, dictionaryId === 0 ? [] : this.#newestOr(dictionaryId));
  }

  /** The codec towards upstreams, which may send messages of up to maxDecodedBytes. */
  forUpstream(name: CodecName, maxDecodedBytes: number): UpstreamCodec {
    const codec = this.#get(name, maxDecodedBytes, name === 'zstd' ? this.#dictionaries : []);
    return {
      name,
      subprotocol: codecSubprotocol(name),
      open: (owner) => new Transcoder(codec, this.transcoding, owner),
    };
  }

  #runsHere(name: CodecName, log: Log): boolean {
    try {
      this.forClient(name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'WSLUICE_ZSTD') throw error;
      log.warn({ codec: name, node: process.version }, (error as Error).message);
      return false;
    }
  }

  /** All dictionaries, the one with this id first when there is one. */
  #newestOr(id: number | undefined): readonly Dictionary[] {
    const preferred = this.#dictionaries.filter((dictionary) => dictionary.id === id);
    return [...preferred, ...this.#dictionaries.filter((dictionary) => dictionary.id !== id)];
  }

  #get(name: CodecName, maxDecodedBytes: number, dictionaries: readonly Dictionary[]): MessageCodec {
    const key = [name, maxDecodedBytes, ...dictionaries.map(({ id }) => id)].join(' ');
    const made = this.#made.get(key) ?? this.#make(name, maxDecodedBytes, dictionaries);
    this.#made.set(key, made);
    return made;
  }

  #make(name: CodecName, maxDecodedBytes: number, dictionaries: readonly Dictionary[]): MessageCodec {
    const { minBytes, gzip, brotli, zstd } = this.#config;
    const codec = registry[name]({ gzip, brotli, zstd: { level: zstd.level, dictionaries } });
    return new MessageCodec({ codec, minBytes, maxDecodedBytes, bytes: this.bytes.get(name)! });
  }
}
