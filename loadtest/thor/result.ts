import { createRequire } from 'node:module';
import type { Measured } from '../artillery/telemetry-book.ts';
import { environment, networkTo } from '../result/environment.ts';
import { counted } from '../result/grouped.ts';
import { emptyResult, type RunResult } from '../result/run-result.ts';
import type { ThorOptions } from './options.ts';

/** Returns what a run has measured, with what it was asked to do. */
export function thorResult(
  args: readonly string[],
  options: ThorOptions,
  measured: Measured,
  complete: boolean,
): RunResult {
  const { amount, concurrent, messages, bufferBytes, workers, protocol, reply, urls } = options;
  const { codec, method, generator } = options;
  return {
    ...emptyResult({
      kind: 'thor',
      title: `${counted(amount * urls.length, 'connection')}, ${counted(messages, 'message')} of ${counted(bufferBytes, 'byte')} each`,
      command: ['npm run loadtest --', ...args.map(quoted)].join(' '),
      environment: environment(networkTo(urls.map((url) => new URL(url).hostname)), {
        artillery: artilleryVersion(),
      }),
      target: urls.join(' '),
      settings: {
        ...{
          amount,
          concurrent,
          messages,
          buffer: bufferBytes,
          workers,
          protocol,
          reply,
          timeout: options.timeoutS,
        },
        binary: options.binary,
        ...(codec === undefined ? {} : { codec }),
        ...(method === undefined ? {} : { 'json-rpc': method }),
        ...(generator === undefined ? {} : { generator }),
      },
    }),
    ...measured,
    complete,
  };
}

function artilleryVersion(): string {
  const load = createRequire(import.meta.url);
  return (load('artillery/package.json') as { version: string }).version;
}

function quoted(arg: string): string {
  return /^[\w./:=@?&%,-]+$/.test(arg) && !/[?&]/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
