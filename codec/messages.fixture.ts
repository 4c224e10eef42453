import { readFileSync } from 'node:fs';
import { parseDictionary, type Dictionary } from './dictionary.ts';

export type Random = () => number;

/** A seeded generator of numbers in [0, 1): mulberry32. */
export function seeded(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const words = [
  'search',
  'list_orders',
  'get_quote',
  'BTC-USD',
  'open',
  'filled',
  'price',
  'volume',
  'naïve ☃',
];

/** A JSON-RPC result of about so many bytes; no two of the same generator are alike. */
export function jsonMessage(bytes: number, random: Random): Buffer {
  const pick = () => words[Math.floor(random() * words.length)]!;
  let text = `{"jsonrpc":"2.0","id":${Math.floor(random() * 1e9)},"result":[`;
  while (text.length < bytes - 40) text += `{"${pick()}":"${pick()} ${Math.floor(random() * 1e6)}"},`;
  return Buffer.from(`${text}null]}`);
}

/** Bytes that no codec makes smaller. */
export function noise(bytes: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

/** The dictionaries of fixtures/. */
export function readDictionary(name: 'json-rpc' | 'events'): Dictionary {
  return parseDictionary(readFileSync(new URL(`fixtures/${name}.dict`, import.meta.url)));
}
