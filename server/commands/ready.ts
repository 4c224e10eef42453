import { setTimeout as sleep } from 'node:timers/promises';
import { isWildcard } from '../config/addresses.ts';
import { ConfigError } from '../config/faults.ts';
import type { FlagValues } from '../config/flags.ts';
import { loadConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { get } from '../node-http.ts';
import type { TextSink } from './check.ts';

export interface ReadyOptions {
  /** Those of `serve`: they say where its admin listener is. */
  readonly flags: FlagValues;
  readonly env: NodeJS.ProcessEnv;
  /** How long it may take to get ready, in seconds as typed. */
  readonly wait: string;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
}

const pauseMs = 100;
/** A gateway that does not answer in this time is asked again. */
const answerMs = 2_000;
/** Most characters of its reason that are repeated. */
const maxReason = 500;

/** `wsluice ready`: asks a gateway whether it is ready, again and again for `wait` seconds. Resolves to 0 when it is, else to 1, with the reason on stderr. */
export async function runReady({ flags, env, wait, stdout, stderr }: ReadyOptions): Promise<number> {
  if (!/^\d{1,6}(\.\d+)?$/.test(wait)) {
    stderr.write(`--wait ${wait}: not a number of seconds\n`);
    return 1;
  }
  let url: string;
  try {
    // Nobody needs the token to ask this, so it need not be known here.
    const known = { WSLUICE_ADMIN_TOKEN: 'not-needed', ...env };
    url = readyUrl(loadConfig({ flags, env: known }).config.admin);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const line of error.lines) stderr.write(`${line}\n`);
    return 1;
  }
  const deadlineMs = performance.now() + Number(wait) * 1_000;
  for (;;) {
    const why = await whyNotReady(url);
    if (why === undefined) {
      stdout.write(`ready: ${url}\n`);
      return 0;
    }
    if (performance.now() >= deadlineMs) {
      stderr.write(`not ready: ${url}: ${why}\n`);
      return 1;
    }
    await sleep(pauseMs);
  }
}

function readyUrl({ host, port }: Config['admin']): string {
  const local = host.includes(':') ? '::1' : '127.0.0.1';
  const address = isWildcard(host) ? local : host;
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}/ready`;
}

/** Undefined when it is ready. Not by fetch, which goes to no port of its list of bad ones. */
function whyNotReady(url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: answerMs, agent: false }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => (body = (body + chunk).slice(0, maxReason)));
      answer.on('error', (error) => resolve(error.message));
      answer.on('end', () => {
        resolve(answer.statusCode === 200 ? undefined : `${answer.statusCode} ${body.trim()}`);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer in ${answerMs} ms`)));
    request.on('error', (error) => resolve(error.message));
  });
}
