import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Breaker, BreakerState } from './breaker.ts';

type Ending = 'succeed' | 'fail' | 'abandon';
type Doing = { readonly do: 'begin' } | { readonly do: Ending; readonly which: number };
type Step = { readonly wait: number } & Doing;

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('begin' as const), wait: fc.nat(40) }),
  fc.record({
    do: fc.constantFrom('succeed' as const, 'fail' as const, 'fail' as const, 'abandon' as const),
    wait: fc.nat(40),
    which: fc.nat(),
  }),
);

interface Attempt {
  readonly atMs: number;
  readonly isProbe: boolean;
  /** The state it belongs to; another one has nothing to learn from it. */
  readonly era: number;
}

/** The breaker as one would write it with no care for speed: it knows every attempt, and whose outcome counts. */
class Model {
  state: BreakerState = BreakerState.closed;
  era = 0;
  failures = 0;
  successes = 0;
  openedAtMs = 0;
  probe: Attempt | undefined;

  enter(state: BreakerState): void {
    this.state = state;
    this.era++;
    this.failures = this.successes = 0;
    this.probe = undefined;
  }
}

it('does what a plain model of it does, however attempts overlap', () => {
  fc.assert(
    fc.property(
      fc.record({
        failureThreshold: fc.integer({ min: 1, max: 4 }),
        successThreshold: fc.integer({ min: 1, max: 3 }),
        resetTimeoutMs: fc.integer({ min: 1, max: 200 }),
      }),
      fc.array(step, { maxLength: 200, size: 'max' }),
      (settings, steps) => {
        const breaker = new Breaker(settings);
        const model = new Model();
        const underWay: Attempt[] = [];
        let nowMs = 1_000;
        for (const taken of steps) {
          // No two things at one time: within one millisecond a probe and what came before cannot be told apart.
          nowMs += taken.wait + 1;
          breaker.tick(nowMs);
          if (model.state === BreakerState.open && nowMs >= model.openedAtMs + settings.resetTimeoutMs) {
            model.enter(BreakerState.halfOpen);
          }
          apply(taken, nowMs, breaker, model, underWay, settings);
          expect(breaker.state).toBe(model.state);
          expect(breaker.admits).toBe(
            model.state === BreakerState.closed ||
              (model.state === BreakerState.halfOpen && model.probe === undefined),
          );
          expect(underWay.filter(({ isProbe, era }) => isProbe && era === model.era).length).toBeLessThan(2);
        }
      },
    ),
    { numRuns: 300 },
  );
});

function apply(
  taken: Step,
  nowMs: number,
  breaker: Breaker,
  model: Model,
  underWay: Attempt[],
  { failureThreshold, successThreshold }: { failureThreshold: number; successThreshold: number },
): void {
  if (taken.do === 'begin') {
    if (!breaker.admits) return;
    const isProbe = breaker.began(nowMs);
    expect(isProbe).toBe(model.state === BreakerState.halfOpen);
    const attempt = { atMs: nowMs, isProbe, era: model.era };
    if (isProbe) model.probe = attempt;
    underWay.push(attempt);
    return;
  }
  if (underWay.length === 0) return;
  const [attempt] = underWay.splice(taken.which % underWay.length, 1);
  const counts = model.state === BreakerState.closed ? attempt!.era === model.era : attempt === model.probe;
  if (taken.do === 'abandon') {
    // Whoever gives up knows whether it was the probe.
    if (attempt !== model.probe) return;
    breaker.abandoned();
    model.probe = undefined;
  } else if (taken.do === 'succeed') {
    breaker.succeeded(attempt!.atMs, nowMs);
    if (!counts) return;
    model.failures = 0;
    model.probe = undefined;
    if (model.state === BreakerState.halfOpen && ++model.successes >= successThreshold) {
      model.enter(BreakerState.closed);
    }
  } else {
    breaker.failed(attempt!.atMs, nowMs);
    if (!counts) return;
    if (model.state === BreakerState.closed && ++model.failures < failureThreshold) return;
    model.enter(BreakerState.open);
    model.openedAtMs = nowMs;
  }
}
