import { expect, it } from 'vitest';
import { MetricsView } from './metrics-view.ts';

const view = new MetricsView(`# HELP websocket_connections_total Open now
# TYPE websocket_connections_total gauge
websocket_connections_total 3
# TYPE websocket_errors_total counter
websocket_errors_total{type="slow-reader"} 2
websocket_errors_total{type="reset"} 5
# TYPE wsluice_pool_connections gauge
wsluice_pool_connections{pool="main",state="idle"} 4
# TYPE wsluice_heap_limit_bytes gauge
wsluice_heap_limit_bytes 4096
# TYPE process_open_fds gauge
process_open_fds 40
`);

it('adds up the series of a name that have the labels', () => {
  expect(view.sum('websocket_errors_total')).toBe(7);
  expect(view.sum('websocket_errors_total', { type: 'slow-reader' })).toBe(2);
  expect(view.sum('nothing_total')).toBe(0);
});

it('knows the gauges that clients move', () => {
  expect([...view.gauges()]).toEqual([
    ['websocket_connections_total', 3],
    ['wsluice_pool_connections{pool="main",state="idle"}', 4],
  ]);
});
