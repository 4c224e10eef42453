const magic = 0xec30a437;
const headerBytes = 8;

/** A trained zstd dictionary (RFC 8878 section 5). */
export interface Dictionary {
  /** What frames made with it carry; never 0. */
  readonly id: number;
  readonly bytes: Uint8Array;
}

/** Reads a dictionary as `wsluice train` or `zstd --train` writes it. Throws WSLUICE_DICTIONARY for anything else. */
export function parseDictionary(bytes: Uint8Array): Dictionary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length <= headerBytes || view.getUint32(0, true) !== magic)
    throw badDictionary('it has no zstd dictionary header');
  const id = view.getUint32(4, true);
  if (id === 0) throw badDictionary('its id is 0');
  return { id, bytes };
}

/** The header in which peers tell each other which dictionaries they have. */
export const dictionariesHeader = 'Wsluice-Dictionaries';

/** Value of that header: their ids, or '0' for none. */
export function formatIds(dictionaries: readonly Dictionary[]): string {
  return dictionaries.map(({ id }) => id).join(', ') || '0';
}

/** Id of the first of these that a peer has as well, by the value of its header; 0 for none. */
export function commonId(dictionaries: readonly Dictionary[], peersIds: string): number {
  const known = new Set(peersIds.split(',').map(Number));
  return dictionaries.find(({ id }) => known.has(id))?.id ?? 0;
}

function badDictionary(why: string): Error {
  return Object.assign(new Error(`not a zstd dictionary: ${why}`), { code: 'WSLUICE_DICTIONARY' });
}
