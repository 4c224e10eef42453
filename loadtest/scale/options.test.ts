import { expect, it } from 'vitest';
import { parseOptions } from './options.ts';

it('reads the command line of a run', () => {
  const line =
    '--connections 10000 --rate 50000 --seconds 30 --mode session --p99 10 ws://localhost:8080/ws?a=b';
  expect(parseOptions(line.split(' '))).toMatchObject({
    ...{ connections: 10_000, ratePerSecond: 50_000, durationMs: 30_000, mode: 'session', protocol: 'echo' },
    ...{ bytes: 64, p99Ms: 10, findCeiling: false, url: new URL('ws://localhost:8080/ws?a=b') },
  });
});

it('has a default for each, and short steps and a bound where the ceiling is looked for', () => {
  expect(parseOptions([])).toMatchObject({
    ...{ connections: 1_000, ratePerSecond: 10_000, durationMs: 10_000, warmupMs: 2_000, mode: 'request' },
    ...{ protocol: 'jsonrpc', bytes: 76, url: undefined, p99Ms: undefined, processes: undefined },
  });
  expect(parseOptions(['--find-ceiling'])).toMatchObject({ durationMs: 3_000, p99Ms: 10 });
});

it.each([
  ['--connections 0', /--connections 0: a number from 1 to 250000 is needed/],
  ['--connections 1e3', /--connections 1e3: a whole number/],
  ['--connections 250001', /250000/],
  ['--rate -5', /--rate/],
  ['--rate fast', /--rate fast: a whole number from 1 to 1000000 is needed/],
  ['--seconds 0', /--seconds 0/],
  ['--seconds=', /--seconds : a number/],
  ['--p99 NaN', /--p99 NaN/],
  ['--mode pooled', /--mode pooled: one of request, session, mux, echo is needed/],
  ['--bytes 10', /--bytes 10: a number from 76 to 60000/],
  ['--conections 5', /conections/],
  ['http://localhost:8080/', /probably ws:\/\/localhost:8080/],
  ['wss://localhost/', /no TLS/],
  ['localhost:8080', /no WebSocket address/],
  ['8080', /8080 is no address/],
  ['ws://u:p@localhost/', /user name/],
  ['ws://a/ ws://b/', /one address at most/],
  ['--gateways 2 ws://a/', /no gateway is started/],
  ['--processes 5 --connections 4', /more than there are connections/],
  ['--connections 1 --rate 1000000 --seconds 86400', /give more connections/],
])('refuses %s', (line, reason) => {
  expect(() => parseOptions(line.split(' '))).toThrow(reason);
});
