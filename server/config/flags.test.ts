import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { addServeOptions, environmentToPartial, flagsToPartial, unknownVariables } from './flags.ts';
import { serveFlags } from './serve-flags.ts';

function treeOf(...args: string[]): object {
  const command = addServeOptions(new Command()).exitOverride();
  return flagsToPartial(command.parse(args, { from: 'user' }).opts()).tree;
}

describe('the options of serve', () => {
  it('map to keys, and to nothing when they are not given', () => {
    expect(treeOf()).toEqual({});
    expect(
      treeOf(
        '--host',
        '::',
        '--port',
        '1',
        '--path',
        '/rpc',
        '--admin-host',
        '::1',
        '--admin-port',
        '2',
        '--mode',
        'request',
      ),
    ).toEqual({
      listen: { host: '::', port: 1 },
      admin: { host: '::1', port: 2 },
      routes: [{ path: '/rpc', pool: 'main' }],
      pools: { main: { mode: 'request' } },
    });
    expect(
      treeOf(
        '--codec',
        'zstd, gzip',
        '--redis',
        'redis://r',
        '--workers',
        'auto',
        '--profile',
        'latency',
        '--log-level',
        'warn',
      ),
    ).toEqual({
      codec: { offer: ['zstd', 'gzip'] },
      redis: { url: 'redis://r' },
      workers: 'auto',
      profile: 'latency',
      log: { level: 'warn' },
    });
  });

  it('take an empty list of codecs for none', () => {
    expect(treeOf('--codec', '')).toEqual({ codec: { offer: [] } });
  });

  it('repeat where the contract says so', () => {
    const upstreams = ['ws://a/?list=1,2', 'ws://b'];
    expect(treeOf('--upstream', upstreams[0]!, '--upstream', upstreams[1]!)).toEqual({
      pools: { main: { upstreams } },
    });
    expect(treeOf('--rate-limit', 'token-bucket:5/s', '--rate-limit', 'leaky-bucket:9/s,per=global')).toEqual(
      {
        rateLimits: [
          { scope: 'connection', strategy: 'token-bucket', requestsPerSecond: 5 },
          { scope: 'global', strategy: 'leaky-bucket', requestsPerSecond: 9 },
        ],
      },
    );
  });

  it('leave what is no number to the schema', () => {
    expect(treeOf('--port', 'abc')).toEqual({ listen: { port: 'abc' } });
  });

  it('show their default in the help', () => {
    const help = addServeOptions(new Command()).helpInformation().replace(/\s+/g, ' ');
    for (const text of [
      'default: 8080',
      'default: /ws',
      'default: echo:',
      'default: least-connections',
      'default: info',
    ]) {
      expect(help).toContain(text);
    }
  });
});

describe('the environment', () => {
  it('has one variable for each flag', () => {
    expect(serveFlags.filter(({ name }) => name !== undefined)).toHaveLength(16);
    expect(new Set(serveFlags.map(({ variable }) => variable)).size).toBe(serveFlags.length);
  });

  it('maps to the same keys as the flags; lists are split', () => {
    const { tree } = environmentToPartial({
      WSLUICE_PORT: '9000',
      WSLUICE_UPSTREAMS: 'ws://a, ws://b,',
      WSLUICE_RATE_LIMITS: 'token-bucket:5/s,burst=9; leaky-bucket:1/s',
      WSLUICE_ADMIN_TOKEN: '12345678',
      OTHER: 'x',
    });
    expect(tree).toEqual({
      listen: { port: 9000 },
      admin: { token: '12345678' },
      pools: { main: { upstreams: ['ws://a', 'ws://b'] } },
      rateLimits: [
        { scope: 'connection', strategy: 'token-bucket', requestsPerSecond: 5, burst: 9 },
        { scope: 'connection', strategy: 'leaky-bucket', requestsPerSecond: 1 },
      ],
    });
  });

  it('counts an empty variable as unset', () => {
    expect(environmentToPartial({ WSLUICE_PORT: '', WSLUICE_HOST: '  ' })).toEqual({
      tree: {},
      settings: [],
    });
  });

  it('names variables that mean nothing, with the nearest that does', () => {
    expect(unknownVariables({ WSLUICE_PROT: '1', WSLUICE_PORT: '1', WSLUICE_CONFIG: 'x', PATH: '' })).toEqual(
      ['WSLUICE_PROT is not a setting and has no effect; did you mean WSLUICE_PORT?'],
    );
  });
});
