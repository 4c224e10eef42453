import { describe, expect, it } from 'vitest';
import { Endpoint } from '../../pool/endpoint.ts';
import { upstreamUrlProblem } from './upstream-url.ts';

describe('upstreamUrlProblem', () => {
  it.each([
    'ws://10.0.0.1:9001',
    'wss://user:p%40ss@backend.example/path?key=1',
    'ws://[::1]:9001/',
    'WS://host',
    'ws+unix:/run/app.sock',
    'ws+unix:/run/app.sock:/rpc?v=2',
    'ws+unix:///run/app.sock',
  ])('takes %s, and the pool can dial it', (url) => {
    expect(upstreamUrlProblem(url)).toBeUndefined();
    expect(() => new Endpoint({ url, trusted: false })).not.toThrow();
  });

  it('takes echo:', () => expect(upstreamUrlProblem('echo:')).toBeUndefined());

  it.each([
    'http://host',
    'ws:/host',
    'ws://',
    'ws://host#fragment',
    'ws://host:99999',
    'ws://ho st',
    'ws://a%zz@host',
    'ws+unix:relative.sock',
    'ws+unix:/run/:/rpc',
    'ws+unix:/run/app.sock:rpc',
    'ws+unix:',
    'echo:extra',
    'host:9001',
    '',
  ])('refuses %j', (url) => expect(upstreamUrlProblem(url)).toBeTypeOf('string'));
});
