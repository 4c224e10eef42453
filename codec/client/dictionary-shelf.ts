import { parseDictionary, type Dictionary } from '../dictionary.ts';
import { readUpTo } from './read-up-to.ts';

const fetchTimeoutMs = 10_000;
const maxDictionaryBytes = 1 << 24;
/** More are only known to a server that never stops making new ones. */
const maxKept = 8;

/** The dictionaries a connection knows, and the way to those it does not. */
export class DictionaryShelf {
  readonly #kept = new Map<number, Dictionary>();
  readonly #server: URL;

  /** `url` is that of the WebSocket. Throws WSLUICE_DICTIONARY when one of the known ones is no dictionary. */
  constructor(url: URL, known: readonly Uint8Array[]) {
    this.#server = new URL(url);
    this.#server.protocol = url.protocol.replace('ws', 'http');
    for (const dictionary of known.map(parseDictionary)) this.#kept.set(dictionary.id, dictionary);
  }

  /** The first of the known ones; undefined when there is none. */
  get firstId(): number | undefined {
    return this.#kept.keys().next().value;
  }

  /** The dictionary of an id, from the server when it is new. Rejects when the server does not give it. */
  async find(id: number): Promise<Dictionary> {
    return this.#kept.get(id) ?? this.#keep(await this.#fetch(id));
  }

  async #fetch(id: number): Promise<Dictionary> {
    const response = await fetch(new URL(`/dictionary/${id}`, this.#server), {
      signal: AbortSignal.timeout(fetchTimeoutMs),
    });
    if (!response.ok || response.body === null) throw new Error(`dictionary ${id}: HTTP ${response.status}`);
    const dictionary = parseDictionary(await readUpTo(response.body, maxDictionaryBytes));
    if (dictionary.id !== id) throw new Error(`dictionary ${id}: the server gave ${dictionary.id}`);
    return dictionary;
  }

  #keep(dictionary: Dictionary): Dictionary {
    if (this.#kept.size >= maxKept) this.#kept.delete(this.firstId!);
    this.#kept.set(dictionary.id, dictionary);
    return dictionary;
  }
}
