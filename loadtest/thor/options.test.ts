import { describe, expect, it } from 'vitest';
import { parseOptions, thorCommand, type ThorOptions } from './options.ts';

const url = 'ws://127.0.0.1:8080/ws';

function parsed(...args: string[]): ThorOptions {
  return parseOptions(
    thorCommand().configureOutput({ writeErr: () => undefined, writeOut: () => undefined }),
    args,
  );
}

describe('the command line', () => {
  it('has the defaults of thor', () => {
    expect(parsed(url)).toMatchObject({
      ...{ urls: [url], amount: 10_000, concurrent: 0, messages: 1, bufferBytes: 1_024, protocol: 13 },
      ...{ binary: false, masked: false, reply: 'echo', method: undefined, codec: undefined },
    });
  });

  it("has thor's short names", () => {
    const args = ['-A', '7', '-C', '3', '-M', '2', '-P', '8', '-B', '9', '-W', '2', '-b', url];
    expect(parsed(...args)).toMatchObject({
      ...{ amount: 7, concurrent: 3, messages: 2, protocol: 8, bufferBytes: 9, workers: 2, binary: true },
    });
  });

  it('takes an address behind --json-rpc for what it is', () => {
    expect(parsed('--json-rpc', url)).toMatchObject({ method: 'echo', urls: [url] });
    expect(parsed('--json-rpc', 'tools/call', url)).toMatchObject({ method: 'tools/call', urls: [url] });
    expect(parsed(url, '--json-rpc')).toMatchObject({ method: 'echo', urls: [url] });
  });

  it('starts no worker that would have nothing to do', () => {
    expect(parsed('--amount', '3', '--workers', '8', url).workers).toBe(3);
    expect(parsed('--amount', '100', '--concurrent', '2', '--workers', '8', url).workers).toBe(2);
    expect(parsed('--amount', '400', url).workers).toBe(1);
  });

  it.each([
    [[], 'which server?'],
    [['nonsense'], 'nonsense is no address'],
    [['http://h:1/ws'], 'probably ws://h:1/ws'],
    [['https://h/ws'], 'probably wss://h/ws'],
    [['ftp://h/'], 'no WebSocket address'],
    [['ws://h/#x'], 'no fragment'],
    [['ws://h:99999/'], 'no address'],
    [['--amount', '0', url], 'whole number from 1'],
    [['--amount', '1.5', url], 'whole number from 1'],
    [['--messages', '-1', url], 'whole number from 1'],
    [['--timeout', 'soon', url], 'seconds'],
    [['--timeout', '0', url], 'seconds'],
    [['--protocol', '7', url], 'Allowed choices are 8, 13'],
    [['--codec', 'lz4', url], 'Allowed choices are zstd, brotli, gzip'],
    [['--reply', 'none', url], 'Allowed choices are echo, any'],
    [['--generator', '/no/such.js', url], 'no such file'],
    [['--generator', '/', url], 'is no file'],
    [['--json-rpc', 'm', '--binary', url], '--json-rpc sends text'],
    [['--amount', '1000000', url, url], 'more than 1000000 connections'],
    [['--frobnicate', url], 'unknown option'],
  ])('refuses %j', (args, why) => {
    expect(() => parsed(...args)).toThrow(why);
  });
});
