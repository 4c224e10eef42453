import type { BreakerState } from './health/breaker.ts';
import type { Endpoint } from './endpoint.ts';

/** What a pool tells of one of its endpoints. */
export interface EndpointFigures {
  /** Its URL without credentials and query; where several have the same, all but the first have a number behind it. */
  readonly upstream: string;
  readonly breaker: BreakerState;
  readonly ejected: boolean;
}

/** The figures of all endpoints, each under a label of its own. */
export function endpointFigures(endpoints: readonly Endpoint[]): EndpointFigures[] {
  const seen = new Map<string, number>();
  return endpoints.map(({ label, breaker, standing }) => {
    const number = (seen.get(label) ?? 0) + 1;
    seen.set(label, number);
    return {
      upstream: number === 1 ? label : `${label} #${number}`,
      breaker: breaker.state,
      ejected: standing.ejected,
    };
  });
}
