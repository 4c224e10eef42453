import { Command, InvalidArgumentError, Option } from 'commander';
import { existsSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { codecNames } from '../../codec/registry.ts';
import { webSocketUrl } from '../stand/web-socket-url.ts';

/** What `npm run loadtest` is asked to do. */
export interface ThorOptions {
  readonly urls: readonly string[];
  /** Connections to each address. */
  readonly amount: number;
  /** How many of them are being opened at once, for each address; 0 for all. */
  readonly concurrent: number;
  /** Of each connection. */
  readonly messages: number;
  readonly protocol: number;
  readonly bufferBytes: number;
  /** artillery processes. */
  readonly workers: number;
  /** An absolute path. */
  readonly generator: string | undefined;
  readonly binary: boolean;
  readonly masked: boolean;
  readonly codec: string | undefined;
  readonly method: string | undefined;
  readonly reply: 'echo' | 'any';
  readonly timeoutS: number;
  /** False where it is the default. */
  readonly timeoutChosen: boolean;
  readonly insecure: boolean;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
}

interface Values {
  readonly amount: number;
  readonly concurrent: number;
  readonly messages: number;
  readonly protocol: string;
  readonly buffer: number;
  readonly workers?: number;
  readonly generator?: string;
  readonly binary?: true;
  readonly masked?: true;
  readonly codec?: string;
  readonly jsonRpc?: true | string;
  readonly reply: 'echo' | 'any';
  readonly timeout: number;
  readonly insecure?: true;
  readonly json?: string;
  readonly report?: string;
}

const defaultMethod = 'echo';
const mostConnections = 1_000_000;
const mostBytes = 64 << 20;
/** A process of its own is worth its start for so many connections. */
const connectionsPerWorker = 500;

const examples = `
Each connection sends its messages one after the other, waits for every reply and checks it, and closes.
Several addresses get --amount connections each.

  npm run loadtest -- --amount 5000 --concurrent 100 --messages 10 --buffer 1024 ws://localhost:8080/ws
  npm run loadtest -- --amount 100 --messages 50 --json-rpc ws://localhost:8080/ws

Exit code: 0 all went well, 1 something failed, 2 it could not begin, 130 interrupted.`;

/** Returns the command; `parseOptions` reads it. */
export function thorCommand(): Command {
  return new Command('npm run loadtest --')
    .description('Loads WebSocket servers as thor does, driven by artillery, and measures them.')
    .argument('[urls...]', 'ws:// or wss:// addresses')
    .option('-A, --amount <connections>', 'connections to make', whole(1, mostConnections), 10_000)
    .option(
      '-C, --concurrent <connections>',
      'how many are being opened at once; 0: all',
      whole(0, mostConnections),
      0,
    )
    .option('-M, --messages <messages>', 'messages of each connection', whole(1, 10_000_000), 1)
    .addOption(
      new Option('-P, --protocol <protocol>', 'version of the WebSocket protocol')
        .choices(['8', '13'])
        .default('13'),
    )
    .option('-B, --buffer <size>', 'bytes of each message', whole(0, mostBytes), 1_024)
    .option(
      '-W, --workers <cpus>',
      `artillery processes (default: one a core, for every ${connectionsPerWorker} connections)`,
      whole(1, 64),
    )
    .option('-G, --generator <file>', 'a module that makes the messages: utf8(size, fn), binary(size, fn)')
    .option('-b, --binary', 'send binary messages instead of text')
    .option('--masked', 'accepted for old command lines: every frame is masked')
    .addOption(new Option('--codec <name>', 'speak this codec of wsluice').choices(codecNames))
    .option(
      '--json-rpc [method]',
      `call this method by JSON-RPC, with the message as its params (${defaultMethod})`,
    )
    .addOption(
      new Option('--reply <check>', 'what a right reply is: what was sent, or anything')
        .choices(['echo', 'any'])
        .default('echo'),
    )
    .option('--timeout <seconds>', 'for a handshake and for a reply', seconds, 30)
    .option('--insecure', 'wss: take any certificate')
    .option('--json <file>', 'write the figures as JSON')
    .option('--report <file>', 'write a report as HTML')
    .addHelpText('after', examples)
    .showHelpAfterError('(npm run loadtest -- --help shows what there is)')
    .exitOverride();
}

/** Reads the command line. Throws what commander throws (its help too), and Error with a readable reason. */
export function parseOptions(command: Command, args: readonly string[]): ThorOptions {
  command.parse([...args], { from: 'user' });
  const values = command.opts<Values>();
  const urls = [...command.args];
  let method = values.jsonRpc === true ? defaultMethod : values.jsonRpc;
  // `--json-rpc ws://…`: the method is optional, and an address is none.
  if (method?.includes('://')) {
    urls.unshift(method);
    method = defaultMethod;
  }
  if (urls.length === 0)
    throw new Error(
      'which server? An address is needed, like ws://localhost:8080/ws (--help shows what there is)',
    );
  const options: ThorOptions = {
    urls: urls.map((text) => webSocketUrl(text).href),
    ...{ amount: values.amount, concurrent: values.concurrent, messages: values.messages },
    protocol: Number(values.protocol),
    bufferBytes: values.buffer,
    workers: workersFor(values, urls.length),
    generator: values.generator === undefined ? undefined : checkedFile(values.generator),
    binary: values.binary === true,
    masked: values.masked === true,
    codec: values.codec,
    method,
    reply: values.reply,
    timeoutS: values.timeout,
    timeoutChosen: command.getOptionValueSource('timeout') !== 'default',
    insecure: values.insecure === true,
    jsonFile: values.json,
    reportFile: values.report,
  };
  checkTogether(options);
  return options;
}

function checkTogether({ method, generator, binary, amount, urls }: ThorOptions): void {
  if (method !== undefined && generator !== undefined)
    throw new Error('--json-rpc makes the messages itself: leave out --generator, or --json-rpc');
  if (method !== undefined && binary)
    throw new Error('--json-rpc sends text: leave out --binary, or --json-rpc');
  if (amount * urls.length > mostConnections)
    throw new Error(
      `--amount ${amount} to ${urls.length} addresses: more than ${mostConnections} connections in all`,
    );
}

/** A worker without a connection of its own, or without one that it may open, is of no use. */
function workersFor({ workers, amount, concurrent }: Values, urls: number): number {
  const useful = concurrent === 0 ? amount : Math.min(amount, concurrent);
  const byDefault = Math.min(availableParallelism(), Math.ceil((amount * urls) / connectionsPerWorker));
  return Math.min(workers ?? byDefault, useful);
}

function checkedFile(file: string): string {
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`--generator ${file}: there is no such file (${path})`);
  if (!statSync(path).isFile()) throw new Error(`--generator ${file} is no file`);
  return path;
}

function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`A whole number from ${least} to ${most} is needed.`);
  };
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0.1 && value <= 3_600) return value;
  throw new InvalidArgumentError('A number of seconds from 0.1 to 3600 is needed.');
}
