import { maxCredit, minWindow } from '../frames.ts';

/** What the gateway tells of a client when it opens a stream. */
export interface OpenRequest {
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly address: string;
  readonly protocols: readonly string[];
  /** Bytes that may be sent to this client at first. */
  readonly window: number;
  /** The client goes on without knowing that it was on another stream before. */
  readonly resumed: boolean;
}

const validPath = /^\/[^\p{Cc}\s]*$/u;
const validName = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
// A value with a line break in it could become two headers where somebody writes it on.
const validText = /^[^\p{Cc}]*$/u;
const validValue = /^[^\0\r\n]*$/;

/** Reads the payload of an OPEN; undefined when it is not what docs/mux-protocol.md says it is. */
export function parseOpen(json: string): OpenRequest | undefined {
  const open = parse(json);
  if (open === undefined) return undefined;
  const { path, headers, address, protocols, window, resumed = false } = open;
  if (typeof path !== 'string' || !validPath.test(path)) return undefined;
  if (typeof address !== 'string' || !validText.test(address)) return undefined;
  if (!Array.isArray(headers) || !headers.every(isHeader)) return undefined;
  if (!Array.isArray(protocols) || !protocols.every(isText)) return undefined;
  if (typeof window !== 'number' || !Number.isInteger(window)) return undefined;
  if (window < minWindow || window > maxCredit || typeof resumed !== 'boolean') return undefined;
  return { path, headers, address, protocols, window, resumed };
}

function parse(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isHeader(pair: unknown): pair is [string, string] {
  if (!Array.isArray(pair) || pair.length !== 2) return false;
  const [name, value] = pair as unknown[];
  return (
    typeof name === 'string' && validName.test(name) && typeof value === 'string' && validValue.test(value)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && validText.test(value);
}
