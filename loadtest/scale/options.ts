import { parseArgs } from 'node:util';
import { numberOption, wholeOption } from '../stand/number-option.ts';
import { webSocketUrl } from '../stand/web-socket-url.ts';
import { firstCounter, lastCounter, leastBytes, mostBytes, usualBytes, type Protocol } from './exchange.ts';

const modes = ['request', 'session', 'mux', 'echo'] as const;
export type Mode = (typeof modes)[number];

/** What `npm run scale` was asked to do. */
export interface ScaleOptions {
  readonly connections: number;
  /** Messages per second of all connections together; where the ceiling is looked for, the first rate tried. */
  readonly ratePerSecond: number;
  /** Of the load, or of each step where the ceiling is looked for. */
  readonly durationMs: number;
  readonly warmupMs: number;
  /** The server to load; undefined: gateways of our own. */
  readonly url: URL | undefined;
  readonly mode: Mode;
  readonly protocol: Protocol;
  readonly bytes: number;
  /** Loader processes, and gateways; undefined: as many as it takes. */
  readonly processes: number | undefined;
  readonly gateways: number | undefined;
  readonly findCeiling: boolean;
  /** The bound on the 99th percentile. */
  readonly p99Ms: number | undefined;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
  /** Where V8 CPU profiles of the gateways and the loaders go. */
  readonly cpuProfileDir: string | undefined;
}

export const usage = `npm run scale -- [options] [ws://host:port/path]
  --connections 1000   held at the same time, up to 250000
  --rate 10000         messages per second of all of them together, sent whether the ones before were answered or not
  --seconds 10         how long
  --warmup 2           seconds at that rate before it counts
  --mode request       request or mux: JSON-RPC calls; session or echo: texts that come back as they are
  --bytes 76           payload of a message
  --p99 10             fail when the 99th percentile, in ms from when each message was due, is not below
  --find-ceiling       find the highest rate that keeps --p99 (10 by default) without an error; --rate is tried first, --seconds (3) is each step
  --gateways n  --processes n      gateway and loader processes; by default as many as open files and the CPU ask for
  --json run.json  --report run.html
  --cpu-prof <dir>     write V8 CPU profiles of gateways and loaders
Without an address it starts the gateways, on one port, and a backend.`;

const defaultP99Ms = 10;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): ScaleOptions {
  const { values, positionals } = readArgs(args);
  if (positionals.length > 1)
    throw new Error(`one address at most, and there are ${positionals.length}: ${positionals.join(' ')}`);
  const url = positionals[0] === undefined ? undefined : plainUrl(positionals[0]);
  const mode = oneOf('mode', values.mode ?? 'request', modes);
  const protocol: Protocol = mode === 'request' || mode === 'mux' ? 'jsonrpc' : 'echo';
  const findCeiling = values['find-ceiling'] ?? false;
  const optional = (name: 'processes' | 'gateways', most: number): number | undefined =>
    values[name] === undefined ? undefined : wholeOption(name, values[name], 1, most);
  const options: ScaleOptions = {
    connections: wholeOption('connections', values.connections ?? '1000', 1, 250_000),
    ratePerSecond: wholeOption('rate', values.rate ?? '10000', 1, 1_000_000),
    durationMs: numberOption('seconds', values.seconds ?? (findCeiling ? '3' : '10'), 0.5, 86_400) * 1_000,
    warmupMs: numberOption('warmup', values.warmup ?? '2', 0, 600) * 1_000,
    ...{ url, mode, protocol, findCeiling },
    bytes: wholeOption(
      'bytes',
      values.bytes ?? String(usualBytes[protocol]),
      leastBytes[protocol],
      mostBytes,
    ),
    processes: optional('processes', 64),
    gateways: optional('gateways', 64),
    p99Ms:
      values.p99 === undefined
        ? findCeiling
          ? defaultP99Ms
          : undefined
        : numberOption('p99', values.p99, 0.1, 60_000),
    ...{ jsonFile: values.json, reportFile: values.report, cpuProfileDir: values['cpu-prof'] },
  };
  checkTogether(options);
  return options;
}

function checkTogether({
  url,
  gateways,
  processes,
  connections,
  ratePerSecond,
  durationMs,
}: ScaleOptions): void {
  if (url !== undefined && gateways !== undefined)
    throw new Error(
      `--gateways ${gateways}: with an address (${url.href}) no gateway is started; leave one of them out`,
    );
  if (processes !== undefined && processes > connections)
    throw new Error(`--processes ${processes}: more than there are connections (${connections})`);
  const each = (ratePerSecond * durationMs) / 1_000 / connections;
  const most = (lastCounter - firstCounter) / 2;
  if (each > most)
    throw new Error(
      `--rate ${ratePerSecond} --seconds ${durationMs / 1_000}: over ${connections} connections that is ${Math.round(each)} messages each, and ${most} is the most; give more connections`,
    );
}

function readArgs(args: readonly string[]) {
  const text = { type: 'string' } as const;
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...{ connections: text, rate: text, seconds: text, warmup: text, mode: text, bytes: text },
      ...{ processes: text, gateways: text, p99: text, json: text, report: text, 'cpu-prof': text },
      'find-ceiling': { type: 'boolean' },
    },
  });
}

/** An address that the loader can speak to. */
function plainUrl(text: string): URL {
  const url = webSocketUrl(text);
  if (url.protocol === 'wss:')
    throw new Error(
      `${text}: the loader speaks no TLS; load the ws:// listener behind it, or use npm run loadtest`,
    );
  if (url.username !== '' || url.password !== '')
    throw new Error(
      `the address has a user name or password in it, which this loader does not send: leave them out`,
    );
  return url;
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((value) => value === text);
  if (found !== undefined) return found;
  throw new Error(`--${name} ${text}: one of ${allowed.join(', ')} is needed`);
}
