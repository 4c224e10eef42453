// npm run bench -- metrics: what one count or observation costs, beside prom-client's own.
import { bench, do_not_optimize } from 'mitata';
import { Counter, Histogram as PromHistogram, Registry } from 'prom-client';
import { Counters } from './counters.ts';
import { publishedBoundsSeconds } from './families.ts';
import { GatewayMetrics, indexByName } from './gateway-metrics.ts';
import { Histogram } from './histogram.ts';

const errorTypes = ['protocol', 'too-big', 'undecodable', 'slow-reader'] as const;
const ErrorType = indexByName(errorTypes);
const seconds = Float64Array.from({ length: 1024 }, () => 0.0002 * 10 ** (3 * Math.random()));
const registers = [new Registry()];

const counters = new Counters({ size: 64 });
const histogram = new Histogram();
const metrics = new GatewayMetrics({ errorTypes, rejectReasons: [] });
const promPlain = new Counter({ name: 'plain', help: 'h', registers });
const promLabelled = new Counter({ name: 'labelled', help: 'h', labelNames: ['type'], registers });
const promHistogram = new PromHistogram({
  name: 'seconds',
  help: 'h',
  buckets: [...publishedBoundsSeconds],
  registers,
});

let turn = 0;
const next = () => seconds[turn++ & 1023]!;
// One counter after the other: a gateway does other work between two counts of the same one, and does not wait for its last sum.
const nextCounter = () => turn++ & 63;

bench('Counters.add', () => counters.add(nextCounter(), 1));
bench('prom-client inc', () => promPlain.inc());
bench('GatewayMetrics.error', () => metrics.error(ErrorType['too-big']));
bench('prom-client inc, one label', () => promLabelled.inc({ type: 'too-big' }));
bench('Histogram.observe', () => histogram.observe(next()));
bench('prom-client observe', () => promHistogram.observe(next()));
bench('GatewayMetrics.connectionOpened', () => metrics.connectionOpened());
bench('GatewayMetrics.received', () => metrics.received(70));
bench('Histogram.cumulative (one scrape)', () => {
  do_not_optimize(histogram.cumulative(publishedBoundsSeconds));
});
