import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isTree, type Tree } from '../config/tree.ts';
import { answerJson, readBody } from './http.ts';

/** What is wrong with a request, one line each. */
export interface Faults {
  readonly faults: readonly string[];
}

/** Answers with what is wrong, as JSON. */
export function answerFault(response: ServerResponse, status: number, ...faults: readonly string[]): void {
  answerJson(response, status, { faults });
}

/** The value that a JSON text stands for; undefined when it is none. */
export function jsonOf(body: Buffer): unknown {
  try {
    return isUtf8(body) ? JSON.parse(body.toString()) : undefined;
  } catch {
    return undefined;
  }
}

/** The body of a request, at most `maxBytes` long; undefined when it is longer, which is answered with 413. */
export async function readOrRefuse(
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes: number,
): Promise<Buffer | undefined> {
  const body = await readBody(request, maxBytes);
  if (body !== undefined) return body;
  response.setHeader('Connection', 'close');
  answerFault(response, 413, `the body is larger than ${maxBytes} bytes`);
  return undefined;
}

/** The mapping that a body is, an empty one when there is no body; undefined when it is anything else. */
export function treeOf(body: Buffer): Tree | undefined {
  const value = body.length === 0 ? {} : jsonOf(body);
  return isTree(value) ? value : undefined;
}

/** The query of a request's URL. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const [, query = ''] = /\?(.*)$/s.exec(request.url ?? '') ?? [];
  return new URLSearchParams(query);
}

/** The whole number that a text stands for; undefined when it is not one from `min` to `max`. */
export function wholeOf(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}
