import type { ListenConfig } from './config/schema.ts';

/** `listen.permessageDeflate`. */
export type DeflateMode = ListenConfig['permessageDeflate'];

/** The window of each, as a power of two; the name is what zlib says that a compressor of that window takes. */
const windowBits: Readonly<Record<Exclude<DeflateMode, 'off' | 'shared'>, number>> = {
  'dedicated-4KB': 9,
  'dedicated-8KB': 10,
  'dedicated-16KB': 11,
  'dedicated-32KB': 12,
  'dedicated-64KB': 13,
  'dedicated-128KB': 14,
  'dedicated-256KB': 15,
};

/** The engine's `compression`: decompressor window in the bits from 8 on, compressor window from 4 on, its memory below. */
export function engineCompression(mode: DeflateMode): number {
  if (mode === 'off') return 0;
  if (mode === 'shared') return (1 << 8) | 1;
  const bits = windowBits[mode];
  return (bits << 8) | (bits << 4) | (bits - 7);
}

/**
 * The first offer of a Sec-WebSocket-Extensions header that the engine answers as RFC 7692 section 7.1 asks, in the form it
 * understands; '' when there is none. The engine by itself takes the first one, ignores what it cannot keep and says so to
 * nobody: a client that relies on it would misread every message.
 */
export function acceptableOffer(header: string, mode: DeflateMode): string {
  if (mode === 'off' || header === '') return '';
  const offers = header.split(',').map((offer) => parseOffer(offer, mode));
  return offers.find((offer) => offer !== undefined) ?? '';
}

const parameterPattern = /^([a-z_]+)(?:\s*=\s*(?:"(\d{1,2})"|(\d{1,2})))?$/;

function parseOffer(offer: string, mode: DeflateMode): string | undefined {
  const [name, ...parameters] = offer.split(';').map((part) => part.trim());
  if (name !== 'permessage-deflate') return undefined;
  const seen = new Set<string>();
  const accepted = [name];
  for (const parameter of parameters) {
    const [, key = '', quoted, bare] = parameterPattern.exec(parameter) ?? [];
    const kept = keep(key, quoted ?? bare, mode);
    if (kept === undefined || seen.has(key)) return undefined;
    seen.add(key);
    accepted.push(kept);
  }
  return accepted.join('; ');
}

/** The parameter as the engine keeps it; undefined when it is unknown, malformed, or the engine would not keep it. */
function keep(key: string, value: string | undefined, mode: DeflateMode): string | undefined {
  if (key === 'client_no_context_takeover') return value === undefined ? key : undefined;
  if (key === 'server_no_context_takeover') {
    return value === undefined && mode === 'shared' ? key : undefined;
  }
  if (key === 'client_max_window_bits') {
    if (value === undefined) return key;
    return isWindow(value) ? `${key}=${value}` : undefined;
  }
  // A window of 8 bits is one that zlib cannot compress with; one of 15 the engine would leave unanswered.
  if (key !== 'server_max_window_bits' || mode === 'shared') return undefined;
  if (value === undefined || value === '8' || !isWindow(value)) return undefined;
  return `${key}=${Math.min(Number(value), 14)}`;
}

/** RFC 7692 section 7.1.2: 8 to 15, without leading zeros. */
function isWindow(bits: string): boolean {
  return /^(?:8|9|1[0-5])$/.test(bits);
}
