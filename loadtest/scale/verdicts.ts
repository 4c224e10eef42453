import { kinds } from '../result/failure-kinds.ts';
import type { Verdict } from '../result/run-result.ts';
import { faultCount, type CountedFaults } from './faults.ts';
import { grouped, milliseconds } from '../result/grouped.ts';
import type { LoadFigures } from './load-figures.ts';

const leastRateShare = 0.99;
/** Less than this of lateness is that of timers, which count in milliseconds. */
const harmlessLatenessMs = 2;
/** The loader's own lateness may be this much of the latency and of the load's duration, and its event loops busy in so much of the time. */
const mostLatenessShare = 0.5;
const mostLatenessOfDuration = 0.01;
const mostBusyShare = 0.2;
/** Kinds that mean a server said what it should not have. */
const wrongKinds = [kinds.wrongReply, kinds.foreignReply, kinds.unasked, kinds.garbage];

/** How the connections of a run fared. */
export interface ConnectionFigures {
  readonly wanted: number;
  /** Opened, and open at the end. */
  readonly opened: number;
  readonly open: number;
  /** Why some were not, or are no more. */
  readonly faults: CountedFaults;
}

/** Says what of what is expected of every load came true. */
export function verdictsOn(
  load: LoadFigures,
  connections: ConnectionFigures,
  p99Ms: number | undefined,
): Verdict[] {
  const { due, received, ratePerSecond, latency } = load;
  const wrong = wrongKinds.reduce((sum, kind) => sum + (connections.faults[kind]?.count ?? 0), 0);
  const { wanted, opened, open, faults } = connections;
  const verdicts: Verdict[] = [
    {
      expectation: 'every message is answered',
      measured: `${grouped(received)} of ${grouped(due)}`,
      passed: due > 0 && received === due,
    },
    {
      expectation: 'every reply is that of its own message, byte for byte',
      measured: wrong > 0 ? `${grouped(wrong)} are not` : received > 0 ? 'all' : 'none came',
      passed: wrong === 0 && received > 0,
    },
    {
      expectation: 'every connection opens, and none is dropped',
      measured: `${grouped(opened)} of ${grouped(wanted)} opened, ${grouped(open)} open at the end`,
      passed: opened === wanted && open === wanted && faultCount(faults) === 0,
    },
    {
      expectation: `at least 99 % of ${grouped(ratePerSecond)} messages/s are answered`,
      measured: `${grouped(load.repliesPerSecond)}/s`,
      passed: servesRate(load),
    },
  ];
  const p99 = latency.quantileUs(0.99) / 1_000;
  if (p99Ms !== undefined)
    verdicts.push({
      expectation: `p99 is below ${p99Ms} ms`,
      measured: received === 0 ? 'nothing was answered' : milliseconds(p99),
      passed: received > 0 && p99 < p99Ms,
    });
  return [...verdicts, paceVerdict(load)];
}

/** True when the load's rate was answered, or all but 1 % of it. */
export function servesRate({ repliesPerSecond, ratePerSecond }: LoadFigures): boolean {
  return repliesPerSecond >= leastRateShare * ratePerSecond;
}

/** The figures are the server's, as far as the loaders were not late themselves. */
function paceVerdict({ lateness, latency, busyShare, durationMs }: LoadFigures): Verdict {
  const late = lateness.quantileUs(0.99) / 1_000;
  const bound = Math.min(
    (latency.quantileUs(0.99) / 1_000) * mostLatenessShare,
    durationMs * mostLatenessOfDuration,
  );
  const busy = busyShare > 0 ? `; busy to the full in ${grouped(busyShare * 100)} % of the time` : '';
  return {
    expectation: 'the loaders keep their pace, so that the figures are those of the server',
    measured: `sent at most ${milliseconds(late)} late, 99 % of the time${busy}`,
    passed: late <= Math.max(harmlessLatenessMs, bound) && busyShare <= mostBusyShare,
  };
}
