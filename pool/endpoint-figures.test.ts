import { expect, it } from 'vitest';
import { BreakerState } from './health/breaker.ts';
import { endpointFigures } from './endpoint-figures.ts';
import { Endpoint } from './endpoint.ts';

it('tells apart what differs in nothing but what must not be seen', () => {
  const endpoints = ['ws://a:1/x?key=1', 'ws://a:1/y', 'ws://a:1/x?key=2', 'ws://u:p@a:1/x'].map(
    (url) => new Endpoint({ url, trusted: false }),
  );
  endpoints[2]!.standing.eject(1);
  expect(endpointFigures(endpoints)).toEqual([
    { upstream: 'ws://a:1/x', breaker: BreakerState.closed, ejected: false },
    { upstream: 'ws://a:1/y', breaker: BreakerState.closed, ejected: false },
    { upstream: 'ws://a:1/x #2', breaker: BreakerState.closed, ejected: true },
    { upstream: 'ws://a:1/x #3', breaker: BreakerState.closed, ejected: false },
  ]);
});
