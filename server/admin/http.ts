import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers one request, whose path has `params` in place of names; a rejected promise becomes a 500. */
export type Handler = (
  request: IncomingMessage,
  response: ServerResponse,
  params: Readonly<Record<string, string>>,
) => void | Promise<void>;

/** Bodies up to so many times the limit are read to their end, for their sender to hear the answer; others are cut off. */
const readPastLimit = 16;

/** The body of a request, or undefined when it is larger than `maxBytes`. Rejects when the sender goes away. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else chunks.length = 0;
    if (size > maxBytes * readPastLimit) break;
  }
  return size <= maxBytes ? Buffer.concat(chunks) : undefined;
}

/** Answers with `body` as JSON. */
export function answerJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

/** Answers with a line of text, unless an answer is on its way already. */
export function answerText(response: ServerResponse, status: number, body: string): void {
  if (response.headersSent) return void response.end();
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${body}\n`);
}
