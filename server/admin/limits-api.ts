import { ConfigError } from '../config/faults.ts';
import { completeRateLimits } from '../config/load.ts';
import type { RateLimitConfig } from '../config/schema.ts';
import { isTree } from '../config/tree.ts';
import type { Log } from '../log.ts';
import { answerJson, type Handler } from './http.ts';
import type { LimitsControl } from './limits-control.ts';
import { jsonOf, readOrRefuse, type Faults } from './requests.ts';

/** Largest body of a PUT. */
export const maxLimitsBytes = 1_048_576;

/** GET /api/limits: every limit, what it decided and whom it limits most. */
export function readLimits(limits: LimitsControl): Handler {
  return (_, response) => answerJson(response, 200, limits.snapshot());
}

/** PUT /api/limits: the entries of the body replace all limits, or none when one has a fault. */
export function replaceLimits(limits: LimitsControl, log: Pick<Log, 'info'>): Handler {
  return async (request, response) => {
    const body = await readOrRefuse(request, response, maxLimitsBytes);
    if (body === undefined) return;
    const outcome = parse(body, limits.routes);
    if ('faults' in outcome) {
      answerJson(response, 400, outcome);
      return;
    }
    limits.replace(outcome.rateLimits);
    log.info({ limits: outcome.rateLimits.length }, 'rate limits replaced by PUT /api/limits');
    answerJson(response, 200, limits.snapshot());
  };
}

type Outcome = { readonly rateLimits: readonly RateLimitConfig[] } | Faults;

function parse(body: Buffer, routes: readonly string[]): Outcome {
  const list = listOf(body);
  if ('faults' in list) return list;
  try {
    return { rateLimits: completeRateLimits(list.rateLimits, routes) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { faults: error.lines };
  }
}

/** The list that the body is, or that it has under the key it has in a file. */
function listOf(body: Buffer): { readonly rateLimits: unknown } | Faults {
  const value = jsonOf(body);
  if (Array.isArray(value)) return { rateLimits: value };
  return isTree(value) && Object.keys(value).join() === 'rateLimits'
    ? { rateLimits: value['rateLimits'] }
    : { faults: ['the body is not a JSON list of rateLimits, nor a mapping with nothing but that list'] };
}
