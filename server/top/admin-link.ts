import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { request as requestHttp } from '../node-http.ts';
import { EventReader, type ServerEvent } from './event-reader.ts';
import { faultOfError, faultOfStatus, notAGateway, TopFault } from './top-fault.ts';

export interface AdminTarget {
  /** Where the admin listener is; it may have a path, where a proxy puts it under one. */
  readonly url: string;
  readonly token: string | undefined;
}

const answerTimeoutMs = 5_000;
/** A gateway says something every second. */
const silenceMs = 5_000;
const maxBodyBytes = 1 << 24;

/** The admin listener of a gateway, asked from outside. Everything that fails is a `TopFault`. */
export class AdminLink {
  readonly #target: AdminTarget;

  constructor(target: AdminTarget) {
    this.#target = target;
  }

  /** The JSON that stands at a path; `statuses` are those that it may come with. */
  async get(path: string, statuses: readonly number[] = [200]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const response = await this.#ask(path);
      timer = setTimeout(() => response.destroy(late()), answerTimeoutMs);
      const body = await bodyOf(response);
      if (!statuses.includes(response.statusCode!)) throw this.#refusal(response, body);
      return jsonOf(body);
    } catch (error) {
      throw faultOfError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands over every event of /api/live until `signal` or the gateway ends that; an end that nobody asked for is a fault. */
  async follow(onEvent: (event: ServerEvent) => void, signal: AbortSignal): Promise<void> {
    try {
      const response = await this.#ask('api/live', signal);
      if (response.statusCode !== 200) throw this.#refusal(response, await bodyOf(response));
      if (response.headers['content-type']?.startsWith('text/event-stream') !== true) throw notAGateway();
      response.setEncoding('utf8');
      response.setTimeout(silenceMs, () => response.destroy(silent()));
      const reader = new EventReader();
      for await (const piece of response as AsyncIterable<string>) reader.push(piece).forEach(onEvent);
      throw new TopFault('the gateway ended', { passing: true });
    } catch (error) {
      if (!signal.aborted) throw faultOfError(error);
    }
  }

  async #ask(path: string, signal?: AbortSignal): Promise<IncomingMessage> {
    const { url, token } = this.#target;
    const target = new URL(path, url.endsWith('/') ? url : `${url}/`);
    const request = target.protocol === 'https:' ? requestHttps : requestHttp;
    const headers = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    const outgoing = request(target, { headers, agent: false, ...(signal === undefined ? {} : { signal }) });
    const timer = setTimeout(() => outgoing.destroy(late()), answerTimeoutMs);
    try {
      outgoing.end();
      const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
      return response;
    } finally {
      clearTimeout(timer);
      outgoing.on('error', () => undefined);
    }
  }

  #refusal(response: IncomingMessage, body: string): TopFault {
    return faultOfStatus(response.statusCode ?? 0, this.#target.token !== undefined, body);
  }
}

function late(): TopFault {
  return new TopFault(`no answer in ${answerTimeoutMs / 1_000} s`, { passing: true });
}

function silent(): TopFault {
  return new TopFault(`silent for ${silenceMs / 1_000} s`, { passing: true });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBodyBytes) throw notAGateway();
  }
  return Buffer.concat(chunks).toString();
}

/** What a text says as JSON; what is none comes from something else than a gateway. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw notAGateway();
  }
}
