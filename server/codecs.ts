import { readFileSync } from 'node:fs';
import {
  commonId,
  dictionariesHeader,
  formatIds,
  parseDictionary,
  type Dictionary,
} from '../codec/dictionary.ts';
import { MessageCodec, zeroCodecBytes, type CodecBytes } from '../codec/message-codec.ts';
import { codecNames, registry, type CodecName } from '../codec/registry.ts';
import { codecSubprotocol } from '../codec/negotiate.ts';
import { Transcoder, type TranscoderContext, type TranscoderLimits } from '../codec/transcoder.ts';
import { createTranscoding } from '../codec/transcoding.ts';
import type { UpstreamCodec } from '../pool/coded-upstream.ts';
import { News } from '../pool/health/news.ts';
import type { Config } from './config/schema.ts';
import type { Log } from './log.ts';

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
  readonly #log: Log;
  readonly #news = new News();
  readonly #dictionaries: readonly Dictionary[];
  readonly #made = new Map<string, MessageCodec>();

  constructor({ config, log, onError }: CodecsOptions) {
    const { threads, maxPendingBytes, zstd } = config;
    this.#config = config;
    this.#log = log;
    this.#dictionaries = [zstd.dictionary ?? []].flat().map((file) => parseDictionary(readFileSync(file)));
    this.transcoding = createTranscoding({ threads, maxPendingBytes, onError });
    this.offered = new Set(config.offer.filter((name) => this.#runsHere(name, log)));
  }

  /** The dictionary with this id; undefined when it is not loaded. */
  dictionary(id: number): Dictionary | undefined {
    return this.#dictionaries.find((dictionary) => dictionary.id === id);
  }

  /** Ids of all dictionaries, for the header that tells peers; '0' for none. */
  get dictionaryIds(): string {
    return formatIds(this.#dictionaries);
  }

  /** The newest dictionary that a peer has as well, by its `dictionaryIds`; 0 for none. */
  commonDictionary(peersIds: string): number {
    return commonId(this.#dictionaries, peersIds);
  }

  /**
   * The codec of a client that asked for it by name. It packs with the client's dictionary where that is loaded, with none
   * for id 0, else with the newest; it unpacks with all of them.
   */
  forClient(name: CodecName, dictionaryId?: number): MessageCodec {
    const newestId = this.#dictionaries[0]?.id ?? 0;
    const isKnown = dictionaryId === 0 || this.#dictionaries.some(({ id }) => id === dictionaryId);
    return this.#get(name, this.#config.maxDecodedBytes, isKnown ? dictionaryId! : newestId);
  }

  /** What the transcoder of a client needs beside its codec: it reads on whatever waits for it, up to a limit. */
  clientLimits(maxBackpressureBytes: number): TranscoderLimits {
    return { maxEncodingBytes: maxBackpressureBytes, maxDecodingBytes: this.#config.maxPendingBytes };
  }

  /** The codec towards upstreams, which may send messages of up to maxDecodedBytes. */
  forUpstream(name: CodecName, maxDecodedBytes: number): UpstreamCodec {
    const limits = { maxEncodingBytes: this.#config.maxPendingBytes, maxDecodingBytes: Infinity };
    return {
      name,
      subprotocol: codecSubprotocol(name),
      headers: name === 'zstd' ? [[dictionariesHeader, this.dictionaryIds]] : [],
      open: (owner, peersIds) => {
        const codec = this.#get(name, maxDecodedBytes, this.commonDictionary(peersIds));
        return new Transcoder(codec, this.transcoding, limits, owner);
      },
      onFault: (upstream, fault) => {
        if (!this.#news.isNews(`${upstream} ${name} ${fault}`, performance.now())) return;
        this.#log.warn({ upstream, codec: name, fault }, 'an upstream sent what its codec cannot take');
      },
      later: (callback) => setImmediate(() => this.#guard(callback)),
    };
  }

  #runsHere(name: CodecName, log: Log): boolean {
    try {
      this.forClient(name);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'WSLUICE_ZSTD') throw error;
      log.warn(
        { codec: name, node: process.version },
        'a codec is not offered: it needs another version of Node',
      );
      return false;
    }
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.transcoding.onError(error);
    }
  }

  #get(name: CodecName, maxDecodedBytes: number, packsWith: number): MessageCodec {
    const key = [name, maxDecodedBytes, name === 'zstd' ? packsWith : ''].join(' ');
    const made = this.#made.get(key) ?? this.#make(name, maxDecodedBytes, packsWith);
    this.#made.set(key, made);
    return made;
  }

  #make(name: CodecName, maxDecodedBytes: number, packsWith: number): MessageCodec {
    const { minBytes, gzip, brotli, zstd } = this.#config;
    const dictionaries = this.#dictionaries;
    const codec = registry[name]({ gzip, brotli, zstd: { level: zstd.level, dictionaries, packsWith } });
    return new MessageCodec({ codec, minBytes, maxDecodedBytes, bytes: this.bytes.get(name)! });
  }
}
